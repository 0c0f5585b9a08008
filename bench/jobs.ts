/**
 * How long it takes until many jobs of the same minute have begun, and what a service notices that
 * fails meanwhile: `node bench/jobs.ts`. Needs root, cgroup v2 and a build in `dist/`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cgroupAt, readPids } from '../src/host/cgroup.ts';
import { resolveCgroupRoot } from '../src/host/cgroup-mount.ts';
import type { JobHistoryRow } from '../src/rpc/job-rows.ts';
import { endCgroup } from './cgroup.ts';
import { ended, run, start } from './command.ts';
import { writeSection } from './report.ts';

const COUNT = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 2_000);
const ROUNDS = 3;
const DEADLINE_MS = 180_000;
const OVER_AFTER_MS = 40_000;
const HEADING = '## Many jobs of the same minute';

interface Minute {
  /** From the slot until half of them, nine of ten, all had begun. */
  readonly medianMs: number;
  readonly mostMs: number;
  readonly lastMs: number;
  /** From SIGKILL of a service's process in that time until the next one is there. */
  readonly restartMs: number;
  readonly isEachOnce: boolean;
}

class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pmbench-jobs-'));
  /** As on a real host, where /run lies in memory. */
  readonly #runtimeFolder = mkdtempSync('/dev/shm/pmbench-jobs-');
  readonly #name = `pmbench-${process.pid}`;
  readonly #cgroup = join(resolveCgroupRoot(null, this.#name), this.#name);
  readonly #pmctl = join(import.meta.dirname, '../dist/pmctl');
  readonly #env = { ...process.env, PMCTL_SOCK: join(this.#runtimeFolder, 'processmaster.sock') };
  readonly #daemon: ReturnType<typeof start>;

  constructor() {
    const configs = join(this.#folder, 'config.d');
    mkdirSync(configs);
    const directory = `working_directory: ${this.#folder}`;
    for (let index = 0; index < COUNT; index += 1) {
      writeFileSync(
        join(configs, `job-${index}.yaml`),
        `process: {${directory}, start_command: ["true"], schedule: "* * * * *"}\nlogs: {stdout: logs/${index}.out, stderr: logs/${index}.err}\n`,
      );
    }
    writeFileSync(
      join(configs, 'steady.yaml'),
      `process: {${directory}, start_command: [sleep, "100000"]}\nrestart_policy: {restart_backoff_ms: 1}\n`,
    );
    writeFileSync(
      join(this.#folder, 'config.yaml'),
      `cgroup: {name: ${this.#name}}\nglobal: {config_directory: ./config.d, runtime_directory: ${this.#runtimeFolder}, state_directory: ./state}\n`,
    );
    const program = join(import.meta.dirname, '../dist/processmaster');
    this.#daemon = start([program, '-c', join(this.#folder, 'config.yaml')], { stdio: 'ignore' });
  }

  async minute(): Promise<Minute> {
    const slotMs = (Math.floor(Date.now() / 60_000) + 1) * 60_000;
    await delay(slotMs + 1_000 - Date.now());
    const restartMs = await this.#restart();
    // To ask for ten thousand rows again and again would be most of the work.
    await delay(slotMs + OVER_AFTER_MS - Date.now());
    const isOver = async () => {
      const rows = await this.#rows(slotMs);
      return rows.length >= COUNT && rows.every(({ outcome }) => outcome !== null) && rows;
    };
    const rows = await until(isOver);
    const lateMs = rows
      .map((row) => Number(row.started_at_ms) - slotMs)
      .toSorted((one, other) => one - other);
    const at = (share: number) => lateMs[Math.ceil(lateMs.length * share) - 1] ?? Number.NaN;
    const isEachOnce = new Set(rows.map(({ application }) => application)).size === rows.length;
    return { medianMs: at(0.5), mostMs: at(0.9), lastMs: at(1), restartMs, isEachOnce };
  }

  async end(): Promise<void> {
    const end = ended(this.#daemon);
    this.#daemon.kill('SIGTERM');
    await end;
    await endCgroup(this.#cgroup);
    for (const made of [this.#folder, this.#runtimeFolder]) rmSync(made, { recursive: true });
  }

  async #restart(): Promise<number> {
    const [pid = 0] = this.#pidsOfService();
    process.kill(pid, 'SIGKILL');
    const killedAtMs = performance.now();
    await until(async () => this.#pidsOfService().some((other) => other !== pid));
    return performance.now() - killedAtMs;
  }

  #pidsOfService(): readonly number[] {
    return readPids(cgroupAt(`${this.#cgroup}/pm-steady`));
  }

  async #rows(slotMs: number): Promise<readonly JobHistoryRow[]> {
    const args = ['history', '-n', '10000', '--format', 'json'];
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const { output } = await run([this.#pmctl, ...args], this.#env, signal);
    const rows = JSON.parse(output) as readonly JobHistoryRow[];
    return rows.filter((row) => row.slot_ms === slotMs);
  }
}

async function until<T>(read: () => Promise<T | false>): Promise<T> {
  const giveUpAtMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = await read().catch(() => false as const);
    if (value !== false) return value;
    if (performance.now() > giveUpAtMs) throw new Error(`waited ${DEADLINE_MS} ms`);
    await delay(10);
  }
}

function sectionOf(minutes: readonly Minute[]): string {
  const rows = minutes.map(({ medianMs, mostMs, lastMs, restartMs, isEachOnce }) => [
    ...[medianMs, mostMs, lastMs, restartMs].map((ms) => ms.toFixed(0)),
    isEachOnce ? 'yes' : 'no',
  ]);
  const head = ['half begun, ms', '90 %', 'all', 'restart of a service meanwhile, ms', 'each once'];
  const table = [head, head.map(() => '--:'), ...rows];
  return `${HEADING}

Command: \`node bench/jobs.ts ${COUNT}\`, Node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()[1]?.toFixed(1)} over the last five minutes.
${COUNT} jobs run \`true\` each minute; times are from the full minute until their process was launched. A service is killed
one second after the minute. Goal: all have begun within 5 s.

${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;
}

const bench = new Bench();
const minutes: Minute[] = [];
try {
  // The first minute may come while the definitions are still being read.
  await delay(60_000 - (Date.now() % 60_000) + 1_000);
  while (minutes.length < ROUNDS) minutes.push(await bench.minute());
} finally {
  await bench.end();
}
const section = sectionOf(minutes);
process.stdout.write(section);
writeSection(join(import.meta.dirname, 'RESULTS.md'), section);
