/**
 * What it costs to know what services use: `node bench/usage.ts [services]`. Needs root, cgroup v2, perl and a
 * build in `dist/`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { resolveCgroupRoot } from '../src/host/cgroup-mount.ts';
import { endCgroup, pidsBelow } from './cgroup.ts';
import { ended, start } from './command.ts';
import { writeSection } from './report.ts';

const COUNT = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 1_000);
/** A look at all cgroups, once a minute, falls into each. */
const SPAN_MS = 60_000;
const SETTLES_MS = 15_000;
const DEADLINE_MS = 120_000;
/** sysconf(_SC_CLK_TCK), the unit of proc_pid_stat(5). */
const TICK_MS = 10;
const HEADING = '## What services use';

/** What services do. */
const WORK = {
  'all asleep': '[sleep, "100000"]',
  'all awake once a second': `[perl, -e, 'select(undef, undef, undef, 1) while 1']`,
} as const;

interface Cost {
  /** Of one core, in percent: the daemon's, all of it. */
  readonly unwatched: number;
  readonly watched: number;
}

class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pmbench-usage-'));
  /** As on a real host, where /run lies in memory. */
  readonly #runtimeFolder = mkdtempSync('/dev/shm/pmbench-usage-');
  readonly #name = `pmbench-${process.pid}`;
  readonly #cgroup = join(resolveCgroupRoot(null, this.#name), this.#name);
  readonly #daemon: ReturnType<typeof start>;

  constructor(command: string) {
    const configs = join(this.#folder, 'config.d');
    mkdirSync(configs);
    for (let index = 0; index < COUNT; index += 1) {
      writeFileSync(
        join(configs, `s${index}.yaml`),
        `process: {working_directory: ${this.#folder}, start_command: ${command}}\nlogs: {stdout: logs/${index}.out, stderr: logs/${index}.err}\n`,
      );
    }
    writeFileSync(
      join(this.#folder, 'config.yaml'),
      `cgroup: {name: ${this.#name}}\nglobal: {config_directory: ./config.d, runtime_directory: ${this.#runtimeFolder}, state_directory: ./state}\n`,
    );
    const program = join(import.meta.dirname, '../dist/processmaster');
    this.#daemon = start([program, '-c', join(this.#folder, 'config.yaml')], { stdio: 'ignore' });
  }

  async cost(): Promise<Cost> {
    const giveUpAtMs = performance.now() + DEADLINE_MS;
    while (pidsBelow(this.#cgroup).length < COUNT) {
      if (performance.now() > giveUpAtMs) throw new Error(`waited ${DEADLINE_MS} ms`);
      await delay(100);
    }
    await delay(SETTLES_MS);
    const unwatched = await this.#share();
    // What a watcher asks for: everything of all services, each second.
    const pmctl = join(import.meta.dirname, '../dist/pmctl');
    const env = { ...process.env, PMCTL_SOCK: join(this.#runtimeFolder, 'processmaster.sock') };
    const watcher = start([pmctl, 'perf-metrics', '--format', 'json'], { env, stdio: 'ignore' });
    const end = ended(watcher);
    await delay(SETTLES_MS);
    const watched = await this.#share();
    watcher.kill('SIGTERM');
    await end;
    return { unwatched, watched };
  }

  async end(): Promise<void> {
    const end = ended(this.#daemon);
    this.#daemon.kill('SIGTERM');
    await end;
    await endCgroup(this.#cgroup);
    for (const made of [this.#folder, this.#runtimeFolder]) rmSync(made, { recursive: true });
  }

  async #share(): Promise<number> {
    const before = this.#cpuMs();
    const fromMs = performance.now();
    await delay(SPAN_MS);
    return ((this.#cpuMs() - before) * 100) / (performance.now() - fromMs);
  }

  #cpuMs(): number {
    const stat = readFileSync(`/proc/${this.#daemon.pid}/stat`, 'latin1');
    // After the name in parentheses: utime and stime are the 14th and 15th fields.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }
}

async function costOf(command: string): Promise<Cost> {
  const bench = new Bench(command);
  try {
    return await bench.cost();
  } finally {
    await bench.end();
  }
}

const rows: string[][] = [];
for (const [what, command] of Object.entries(WORK)) {
  const { unwatched, watched } = await costOf(command);
  rows.push([what, unwatched.toFixed(2), watched.toFixed(2), (watched - unwatched).toFixed(2)]);
}
const head = ['services', 'nobody watches', 'all watched', 'difference'];
const table = [head, head.map((_, index) => (index === 0 ? '---' : '--:')), ...rows];
const section = `${HEADING}

Command: \`node bench/usage.ts ${COUNT}\`, Node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()[1]?.toFixed(1)} over the last five minutes.
CPU of the daemon over ${SPAN_MS / 1_000} s with ${COUNT} services, in percent of a core. While nobody watches it takes a sample each ten seconds for
the history; watched by \`pmctl perf-metrics\`, everything of all services each second. Goal: at most 3 %. No
controllers on this host: four of the twelve files of a service exist.

${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;
process.stdout.write(section);
writeSection(join(import.meta.dirname, 'RESULTS.md'), section);
