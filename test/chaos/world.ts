import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusRow } from '../../src/rpc/status-row.ts';
import type { Instance } from '../e2e/harness.ts';
import { childCgroups, readOr } from '../e2e/kernel.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { type Expected, type File, phaseOf } from './expected-service.ts';

const CONVERGES_WITHIN_MS = 20_000;

/**
 * Counts its starts, tells on a second instance of itself, and prints `<run> <number>` for as long
 * as it lives. The run's own number makes lines of different runs distinguishable.
 */
const SCRIPT = `
p=$(cat pid 2>&1)
if grep -qs '^State:.[^ZX]' "/proc/$p/status" && grep -qs "/pm-$0$" "/proc/$p/cgroup"; then
  echo "$p and $$" >>twice
fi
echo $$ >pid; echo $$ >>starts; r=$(wc -l <starts); i=0
while :; do i=$((i+1)); echo "$r $i"; sleep 0.02; done`;

/** The machine as the test can see it without asking the daemon's word for what it may check itself. */
export class World {
  readonly instance: Instance;
  readonly #mainByName = new Map<string, number>();
  readonly #runByName = new Map<string, number>();

  constructor(instance: Instance) {
    this.instance = instance;
  }

  writeFile(name: string, file: File | null): void {
    const path = join(this.instance.configDirectory, `${name}.yaml`);
    if (file === null) rmSync(path);
    else if (file.isBroken) writeFileSync(path, 'process: {start_command: [\n');
    else this.instance.define(name, definition(this.instance.folder(name), name, file));
  }

  /** Kills every process of a service from outside; false when it had none. */
  crash(name: string): boolean {
    const isThere = this.instance.pidsOf(name).length > 0;
    if (isThere) writeFileSync(join(this.instance.cgroupOf(name), 'cgroup.kill'), '1');
    return isThere;
  }

  /** Waits until every service is as expected, then looks for anything that must not be. */
  async converges(expected: ReadonlyMap<string, Expected>): Promise<void> {
    const unlike = async () => {
      const rows = await this.instance.statuses();
      return [...expected].flatMap(([name, one]) => this.#difference(name, one, rows.get(name)));
    };
    let last: readonly string[] = [];
    const isThere = async () => {
      last = await unlike();
      return last.length === 0;
    };
    await waitFor(isThere, { what: 'convergence', deadlineMs: CONVERGES_WITHIN_MS }).catch(() => {
      throw new Error(`it did not converge: ${last.join('; ')}`);
    });
    const rows = await this.instance.statuses();
    for (const [name, one] of expected) this.#noteProcess(name, one, rows.get(name));
  }

  /** Everything that is wrong whatever is expected; empty when all is well. */
  violations(expected: ReadonlyMap<string, Expected>): readonly string[] {
    return [
      ...this.#strangeCgroups(expected),
      ...this.#leftovers(expected),
      ...[...expected.keys()].flatMap((name) => this.#violationsOf(name)),
    ];
  }

  #difference(name: string, expected: Expected, row: StatusRow | undefined): readonly string[] {
    const phase = phaseOf(expected);
    if ((row?.phase ?? null) !== phase) {
      return [`${name} is ${row?.phase ?? 'unknown'}, not ${phase ?? 'unknown'}`];
    }
    const pids = this.instance.pidsOf(name);
    if (phase !== 'RUNNING') return pids.length === 0 ? [] : [`${name} still has ${pids.join()}`];
    if (row?.main_pid == null || !pids.includes(row.main_pid))
      return [`${name} has no main process`];
    const command = readOr(`/proc/${row.main_pid}/cmdline`, '');
    const version = expected.inForce?.version ?? 0;
    if (!command.includes(`version ${version}\n`))
      return [`${name} does not run version ${version}`];
    const label = row.labels.label;
    return label === String(expected.inForce?.label) ? [] : [`${name} has the label ${label}`];
  }

  /** A process changes only for a reason, and a run's number never goes back. */
  #noteProcess(name: string, expected: Expected, row: StatusRow | undefined): void {
    if (phaseOf(expected) !== 'RUNNING' || row?.main_pid == null) {
      this.#mainByName.delete(name);
      if (row === undefined) this.#runByName.delete(name);
      return;
    }
    const before = this.#mainByName.get(name);
    if (before !== undefined && before !== row.main_pid && !expected.mayHaveNewProcess) {
      throw new Error(`${name} was restarted without a reason: ${before} -> ${row.main_pid}`);
    }
    const run = row.run ?? 0;
    if (run < (this.#runByName.get(name) ?? 0)) throw new Error(`${name} went back to run ${run}`);
    this.#mainByName.set(name, row.main_pid);
    this.#runByName.set(name, run);
  }

  #strangeCgroups(expected: ReadonlyMap<string, Expected>): readonly string[] {
    const running = [...expected].filter(([, one]) => phaseOf(one) === 'RUNNING');
    const known = new Set(['daemon', 'keeper', ...running.map(([name]) => `pm-${name}`)]);
    return childCgroups(this.instance.cgroup)
      .map((path) => path.slice(this.instance.cgroup.length + 1))
      .filter((path) => !known.has(path))
      .map((path) => `cgroup ${path} is left`);
  }

  #leftovers(expected: ReadonlyMap<string, Expected>): readonly string[] {
    const { root } = this.instance;
    const temporary = ['run', 'state', 'config.d'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.tmp|\.new|corrupt/.test(path))
        .map((path) => `${folder}/${path} is left`),
    );
    const unknown = readdirSync(join(root, 'run/services'))
      .filter((name) => phaseOf(expected.get(name) ?? GONE) === null)
      .map((name) => `run/services/${name} is left`);
    return [...temporary, ...unknown];
  }

  #violationsOf(name: string): readonly string[] {
    const folder = this.instance.folder(name);
    const twice = readOr(join(folder, 'twice'), '').trim();
    const double = twice === '' ? [] : [`${name} ran twice at once: ${twice}`];
    return [...double, ...this.#brokenLines(name, readOr(join(folder, 'logs/stdout.log'), ''))];
  }

  /** Each run's lines are 1, 2, 3, … without a gap or a repetition, one run after the other. */
  #brokenLines(name: string, log: string): readonly string[] {
    let before = { run: 0, number: 0 };
    for (const line of log.split('\n').slice(0, -1)) {
      const [run = Number.NaN, number = Number.NaN] = line.split(' ').map(Number);
      const isNext = run === before.run && number === before.number + 1;
      const isFirst = run > before.run && number === 1;
      if (!isNext && !isFirst) return [`${name}: '${line}' after ${before.run} ${before.number}`];
      before = { run, number };
    }
    return [];
  }
}

const GONE: Expected = { file: null, inForce: null, isStopped: false, mayHaveNewProcess: false };

function definition(folder: string, name: string, { version, enabled, label }: File) {
  return {
    labels: { label: String(label) },
    process: {
      working_directory: folder,
      start_command: ['/bin/sh', '-c', `# version ${version}\n${SCRIPT}`, name],
    },
    restart_policy: {
      restart_backoff_ms: 20,
      backoff_max_ms: 100,
      tolerance: { max_restarts: 1_000, duration: '1m' },
    },
    global: { enabled },
  };
}

/** The numbers of all events in the journal, in the order they are printed. */
export async function eventNumbers(instance: Instance): Promise<readonly number[]> {
  const { stdout } = await instance.pmctl('events', '-n', '10000', '--format', 'json');
  return (JSON.parse(stdout) as readonly { seq: number }[]).map(({ seq }) => seq);
}

/** Reads the configuration of a run from the environment. */
export function readSeed(): number {
  const given = process.env.CHAOS_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}

export function readSteps(preset: number): number {
  return Number(process.env.CHAOS_STEPS ?? preset);
}
