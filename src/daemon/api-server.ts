import { desiredWarnings } from '../api/desired-warnings.ts';
import { createHandlers } from '../api/handlers.ts';
import type { ApiPorts, LogTail } from '../api/ports.ts';
import { reportUpdate } from '../api/update-report.ts';
import { resolveIdentity } from '../host/identity.ts';
import { processStartedAtMs, readCommandLine, readProcess } from '../host/process-info.ts';
import type { Journal } from '../journal/journal.ts';
import { buildInfo } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { tailLines } from '../logs/tail.ts';
import type { DaemonConfig } from '../model/daemon-config.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { Store } from '../reconciler/store.ts';
import { RpcServer } from '../rpc/server.ts';
import { listenOnUnixSocket } from '../rpc/unix-socket.ts';
import type { OperatorIntents } from '../sources/operator-intents.ts';
import type { SourceSet } from '../sources/source-set.ts';
import type { UserFlags } from '../sources/user-flags.ts';
import type { EventStream } from './event-stream.ts';
import type { Machinery } from './machinery.ts';

export interface ApiParts {
  readonly config: DaemonConfig;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly events: EventStream;
  readonly intents: OperatorIntents;
  readonly flags: UserFlags;
  readonly machinery: Machinery;
  readonly sources: SourceSet;
  readonly isShuttingDown: () => boolean;
  readonly warnings: () => readonly string[];
}

export interface ApiServer {
  close(): Promise<void>;
}

/** Most bytes of a log file that are looked at for its last lines. */
const TAIL_BYTES = 1_048_576;

/**
 * Serves the contract on the unix socket.
 * @throws ProcessmasterError `conflict` when the socket is in use, `unsafe_path`, `io`
 */
export async function startApi(parts: ApiParts): Promise<ApiServer> {
  const build = buildInfo();
  const server = new RpcServer({
    build,
    handlers: createHandlers(createPorts(parts)),
    report: (error, method) =>
      parts.events.emit({
        atMs: parts.clock.wallMs(),
        service: null,
        kind: 'api.failed',
        message: `${method}: ${messageOf(error)}`,
        actor: 'daemon',
        data: {},
      }),
  });
  const { path, mode, owner, group } = parts.config.socket;
  const { uid, gid } = await resolveIdentity(owner, group);
  await listenOnUnixSocket(server.listener, { path, mode, uid, gid });
  return server;
}

function createPorts(parts: ApiParts): ApiPorts {
  const { clock, journal, intents, flags, machinery, config } = parts;
  const { store, controller } = machinery;
  const startedAtMs = clock.wallMs();
  return {
    clock,
    build: buildInfo(),
    daemonInfo: () => ({
      pid: process.pid,
      startedAtMs,
      socket: config.socket.path,
      warnings: [...parts.warnings(), ...desiredWarnings(store.desired)],
    }),
    statuses: () =>
      [...store.statuses()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((status) => controller.inspect(status.name) ?? status),
    status: (name) => controller.inspect(name),
    subscribe: (listener) => store.subscribe(listener),
    recordIntent: (name, request) => {
      if (parts.isShuttingDown()) {
        throw new ProcessmasterError(
          'conflict',
          `cannot ${request.want} '${name}': the daemon is shutting down`,
        );
      }
      return intents.record(name, request);
    },
    enqueue: (name) => controller.enqueue(name),
    updateSources: async ({ prune }) => {
      const before = store.desired;
      return reportUpdate(before, parts.sources.read({ settled: true, prune }));
    },
    events: (query) => journal.events(query),
    tailLogs: async (name, lines) => tailLogs(store, name, lines),
    describeProcesses: (pids) =>
      pids.flatMap((pid) => {
        const process = readProcess(pid);
        if (process === null) return [];
        return [{ pid, startedAtMs: processStartedAtMs(process), command: readCommandLine(pid) }];
      }),
    emit: (event) => parts.events.emit(event),
    userFlags: (name) => flags.of(name),
    saveUserFlags: (name, held) => flags.save(name, held),
    lastSeq: () => journal.lastSeq,
    onEvent: (listener) => parts.events.subscribe(listener),
  };
}

/** The files that the daemon writes of a service. */
function tailLogs(store: Store, name: ServiceName, lines: number): readonly LogTail[] {
  const status = store.status(name);
  const accepted = status?.desired?.accepted ?? status?.history.run?.accepted;
  if (!accepted) return [];
  const { stdout, stderr } = accepted.spec.logs;
  const paths = [...new Set([stdout, stderr])];
  return paths.map((path) => ({ path, ...tailLines(path, { lines, maxBytes: TAIL_BYTES }) }));
}
