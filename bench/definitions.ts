/**
 * What many definitions cost, and what hostile ones do to the daemon: `node bench/definitions.ts`.
 * Needs root, cgroup v2 and a build in `dist/`. Nothing is started: every service is disabled.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { resolveCgroupRoot } from '../src/host/cgroup-mount.ts';
import { hostileTexts } from '../test/builders/hostile-texts.ts';
import { endCgroup } from './cgroup.ts';
import { ended, run, start } from './command.ts';
import { memoryOf } from './proc.ts';
import { writeSection } from './report.ts';

const COUNT = Number(process.argv[2] ?? 10_000);
const CHANGED = 500;
const DEADLINE_MS = 120_000;
/** Rereadings and collections that follow a burst are part of what it costs. */
const REST_MS = 5_000;
const HEADING = '## Many definitions, and hostile ones';

interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pmbench-definitions-'));
  const name = `pmbench-${process.pid}`;
  const cgroup = join(resolveCgroupRoot(null, name), name);
  const bench = new Bench(folder, name);
  try {
    const section = await bench.measure();
    process.stdout.write(section);
    if (!process.argv.includes('--no-write')) {
      writeSection(join(import.meta.dirname, 'RESULTS.md'), section);
    }
  } finally {
    await bench.end();
    await endCgroup(cgroup);
    rmSync(folder, { recursive: true });
  }
}

class Bench {
  readonly #folder: string;
  readonly #configs: string;
  readonly #delayFile: string;
  readonly #daemonFile = join(import.meta.dirname, '../dist/processmaster');
  readonly #env: NodeJS.ProcessEnv;
  #daemon: ReturnType<typeof start> | null = null;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#configs = join(folder, 'config.d');
    this.#delayFile = join(folder, 'loop-delay.json');
    this.#env = {
      ...process.env,
      PMCTL_SOCK: join(folder, 'run/processmaster.sock'),
    };
    mkdirSync(this.#configs);
    writeFileSync(
      join(folder, 'config.yaml'),
      `cgroup: {name: ${name}}
global: {config_directory: ./config.d, runtime_directory: ./run, state_directory: ./state}
`,
    );
  }

  async measure(): Promise<string> {
    const rows: string[][] = [];
    await this.#start();
    await delay(REST_MS);
    rows.push(['nothing there', '', ...(await this.#cells())]);
    rows.push(
      await this.#situation(`${COUNT} new files`, `s${COUNT - 1}`, () => this.#write(COUNT, 'a')),
    );
    rows.push(
      await this.#situation(`${CHANGED} changed files`, 'changed', () => {
        this.#write(CHANGED, 'b');
        this.#writeOne('changed', 'b');
      }),
    );
    const texts = [...hostileTexts(7_800), ...hostileTexts(20_000), ...hostileTexts(128_000)];
    rows.push(
      await this.#situation(`${texts.length} hostile files`, 'after', () => {
        for (const [index, [, text]] of texts.entries()) {
          writeFileSync(join(this.#configs, `hostile-${index}.yaml`), text);
        }
        this.#writeOne('zzz-last', 'a', 'after');
      }),
    );
    for (const index of texts.keys()) rmSync(join(this.#configs, `hostile-${index}.yaml`));
    await this.end();
    const startMs = await this.#start(`s${COUNT - 1}`);
    await delay(REST_MS);
    rows.push([`start with ${COUNT} files`, startMs.toFixed(0), ...(await this.#cells())]);
    return sectionOf(rows);
  }

  /** Starts the daemon and gives how long it took to know of a service, or to answer. */
  async #start(service?: string): Promise<number> {
    const startedAtMs = performance.now();
    const probe = join(import.meta.dirname, 'loop-delay.cjs');
    this.#daemon = start([this.#daemonFile, '-c', join(this.#folder, 'config.yaml')], {
      env: {
        ...this.#env,
        NODE_OPTIONS: `--require=${probe}`,
        LOOP_DELAY_FILE: this.#delayFile,
      },
      stdio: 'ignore',
    });
    await this.#known(service);
    return performance.now() - startedAtMs;
  }

  async end(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon === null) return;
    const end = ended(daemon);
    daemon.kill('SIGTERM');
    await end;
  }

  async #situation(what: string, service: string, act: () => void): Promise<string[]> {
    await this.#loopDelay();
    const startedAtMs = performance.now();
    act();
    const writtenMs = performance.now() - startedAtMs;
    await this.#known(service);
    const tookMs = performance.now() - startedAtMs - writtenMs;
    await delay(REST_MS);
    return [what, tookMs.toFixed(0), ...(await this.#cells())];
  }

  async #cells(): Promise<string[]> {
    const { p99Ms, maxMs } = await this.#loopDelay();
    const { privateDirtyKib, rssKib } = memoryOf(this.#daemon?.pid ?? 0);
    return [
      p99Ms.toFixed(0),
      maxMs.toFixed(0),
      ...[privateDirtyKib, rssKib].map((kib) => (kib / 1024).toFixed(1)),
    ];
  }

  #write(count: number, description: string): void {
    for (let index = 0; index < count; index += 1) this.#writeOne(`s${index}`, description);
  }

  #writeOne(file: string, description: string, application = file): void {
    const text = `application: ${application}
description: ${description}
global:
  enabled: false
process:
  working_directory: /srv/${application}
  start_command: [./server, --port, "8080"]
  environment:
    - name: LANG
      value: C.UTF-8
restart_policy:
  restart_backoff_ms: 1s
`;
    const path = join(this.#configs, `${file}.yaml`);
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  }

  /** Waits until the daemon knows of a service, or answers at all. */
  async #known(service?: string): Promise<void> {
    const args = service === undefined ? ['server-version'] : ['status', service];
    const pmctl = join(import.meta.dirname, '../dist/pmctl');
    const giveUpAtMs = performance.now() + DEADLINE_MS;
    for (;;) {
      try {
        await run([pmctl, ...args], this.#env, AbortSignal.timeout(DEADLINE_MS));
        return;
      } catch (error) {
        if (performance.now() > giveUpAtMs) throw error;
      }
      await delay(20);
    }
  }

  /** Since the last time that it was asked for. */
  async #loopDelay(): Promise<LoopDelay> {
    rmSync(this.#delayFile, { force: true });
    this.#daemon?.kill('SIGWINCH');
    const giveUpAtMs = performance.now() + DEADLINE_MS;
    while (!existsSync(this.#delayFile)) {
      if (performance.now() > giveUpAtMs) throw new Error('the daemon did not tell its delays');
      await delay(5);
    }
    return JSON.parse(readFileSync(this.#delayFile, 'utf8')) as LoopDelay;
  }
}

function sectionOf(rows: readonly (readonly string[])[]): string {
  const head = ['', 'known after, ms', 'loop late p99, ms', 'most, ms', 'dirty, MiB', 'RSS, MiB'];
  const table = [head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows];
  return `${HEADING}

Command: \`node bench/definitions.ts ${COUNT}\`, Node ${process.version}, ${availableParallelism()} cores. How late the event loop of
the daemon was is sampled each 5 ms, from just before the files are written until ${REST_MS / 1000} s after the last of
them is known; the time is from the last write until \`pmctl status NAME\` knows the last of them. None of
the services is enabled.

${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;
}

await main();
