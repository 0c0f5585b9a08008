import { closeSync, openSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Launches } from '../actuators/launches.ts';
import { killCgroup, removeCgroupWithin } from '../host/cgroup.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { startDetached } from '../host/detached-process.ts';
import { KeeperClient } from '../keeper/keeper-client.ts';
import type { Hello, KeptLaunch, Snapshot } from '../keeper/protocol.ts';
import type { Clock } from '../lib/clock.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { keeperSocketPath } from '../model/daemon-config.ts';
import type { Fact } from '../model/fact.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';

export interface ServiceKeeperParts {
  readonly clock: Clock;
  readonly tree: CgroupTree;
  readonly runtimeDirectory: string;
  readonly launches: Launches;
  readonly hello: Hello;
  readonly record: (name: ServiceName, fact: Fact) => void;
  /** Resolves when what was recorded of a service is written down. */
  readonly recorded: (name: ServiceName) => Promise<void>;
  /** What is read and what is known may have changed for every service. */
  readonly enqueueAll: () => void;
  readonly say: (service: ServiceName | null, kind: string, message: string) => void;
}

/** The keeper, wired to what the daemon knows: its reports become facts, its loss is made good. */
export function createServiceKeeper(parts: ServiceKeeperParts): KeeperClient {
  const { clock, tree, launches, say } = parts;
  const socketPath = keeperSocketPath(parts.runtimeDirectory);
  const client: KeeperClient = new KeeperClient({
    clock,
    socketPath,
    hello: parts.hello,
    startKeeper: async () => {
      // One that was started and does not listen yet would be a second reader of every stream.
      await clear(tree);
      tree.provideKeeper();
      await startKeeper(parts, socketPath);
    },
    killKeeper: () => clear(tree),
    onFound: (snapshot) => {
      takeOver(parts, snapshot, (launch) => void acknowledge(launch));
      parts.enqueueAll();
    },
    onEvent: (event) => {
      if (event.kind === 'trouble') {
        say(parseServiceName(event.name), 'logs.warning', event.message);
      } else {
        recordEnd(parts, event.launch);
        void acknowledge(event.launch);
      }
    },
    onLost: (reason) => {
      launches.clear();
      const text = `${reason}; another one is started, services run on${lastWords(parts)}`;
      say(null, 'keeper.lost', text);
    },
  });
  /** The keeper may forget what is written beside the run. */
  const acknowledge = async ({ name: text, runNumber }: KeptLaunch) => {
    const name = parseServiceName(text);
    if (name !== null) await parts.recorded(name);
    client.acknowledge(text, runNumber);
  };
  return client;
}

/** Where a keeper says what only a defect makes it say: it must not be lost with it. */
function errorFile({ runtimeDirectory }: Pick<ServiceKeeperParts, 'runtimeDirectory'>): string {
  return join(runtimeDirectory, 'keeper.log');
}

const MAX_ERROR_FILE_BYTES = 65_536;

async function startKeeper(parts: ServiceKeeperParts, socketPath: string): Promise<void> {
  const file = errorFile(parts);
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const stderrFd = openSync(file, bytes > MAX_ERROR_FILE_BYTES ? 'w' : 'a', 0o600);
  try {
    await startDetached([keeperProgram, socketPath], {
      cgroup: parts.tree.keeper(),
      stdoutFd: null,
      stderrFd,
      cwd: '/',
      // Enough for its launcher; nothing of ours is for it or what it starts.
      environment: { PATH: process.env.PATH ?? '', LANG: process.env.LANG ?? 'C.UTF-8' },
      // It alone counts for more than each of those it will start, which may be thousands.
      isFavoured: true,
    });
  } finally {
    closeSync(stderrFd);
  }
}

function lastWords(parts: ServiceKeeperParts): string {
  const file = errorFile(parts);
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return bytes === 0 ? '' : ` (its last words: ${file})`;
}

/** A keeper that said goodbye is out of its cgroup within milliseconds. */
const GONE_WITHIN_MS = 2_000;

/** Ends the keeper, for nothing is left to keep, and removes its cgroup. */
export async function endServiceKeeper(
  client: KeeperClient,
  { tree, runtimeDirectory }: Pick<ServiceKeeperParts, 'tree' | 'runtimeDirectory'>,
): Promise<void> {
  await client.end();
  // Also one that was on its way, or is stuck.
  await clear(tree);
  rmSync(errorFile({ runtimeDirectory }), { force: true });
}

async function clear(tree: CgroupTree): Promise<void> {
  killCgroup(tree.keeper());
  if (await removeCgroupWithin(tree.keeper(), GONE_WITHIN_MS)) return;
  const message = `cannot end the keeper in '${tree.keeper()}': the kernel has not let go of it`;
  throw new ProcessmasterError('io', message);
}

/** What an earlier daemon of ours left, and what happened since. */
function takeOver(
  parts: ServiceKeeperParts,
  { launches, captured }: Snapshot,
  acknowledge: (launch: KeptLaunch) => void,
): void {
  // What was known of an earlier keeper went with it; a start that waits for this one stays.
  for (const launch of launches) {
    const { pid, startTicks, runNumber } = launch;
    const name = parseServiceName(launch.name);
    if (name === null) continue;
    parts.launches.began(name, runNumber);
    // The daemon may have been killed between the launch and writing it down.
    parts.record(name, { kind: 'launched', runNumber, main: { pid, startTicks } });
    if (launch.end === null) continue;
    recordEnd(parts, launch);
    acknowledge(launch);
  }
  for (const { name: text, runNumber, settings } of captured) {
    const name = parseServiceName(text);
    if (name !== null) parts.launches.captured(name, runNumber, settings);
  }
}

function recordEnd({ launches, record }: ServiceKeeperParts, launch: KeptLaunch): void {
  const { runNumber, end } = launch;
  const name = parseServiceName(launch.name);
  if (name === null || end === null) return;
  launches.ended(name, runNumber);
  record(name, { kind: 'launched-exit', runNumber, exit: end.exit, at: end.at });
}

/** Beside the daemon's own program, where links (npm makes them) led when it was started. */
export const keeperProgram = join(dirname(realpathSync(process.argv[1] ?? '')), 'keeper');
