/**
 * One service at full speed: throughput beside svlogd and plain cat, and what others notice of it:
 * `npm run bench:logs`. Needs root and cgroup v2. All that it starts ends with it, also on Ctrl-C.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism, constants, loadavg, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { resolveCgroupRoot } from '../src/host/cgroup-mount.ts';
import { run } from './command.ts';
import { makeStream, type Throughput, throughPipe, throughService } from './log-sinks.ts';
import { processmaster } from './peer-processmaster.ts';
import { writeSection } from './report.ts';
import { type Bench, RunningPeer } from './running-peer.ts';

const ROUNDS = 5;
const TIMES = 5;
const RESTARTS = 15;
const PINGS = 600;
const SINKS = ['processmaster', 'without compression', 'svlogd', 'cat'] as const;
type Sink = (typeof SINKS)[number];

/** What somebody else notices. */
interface Notice {
  readonly restartMs: number;
  /** 99th percentile of the daemon's answers to a plain question: its loop is no slower than that. */
  readonly answerP99Ms: number;
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    process.exitCode = 128 + constants.signals[name];
    stop.abort();
  });
}
await measure();

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pmbench-'));
  const runtimeFolder = join(folder, 'runtime');
  mkdirSync(runtimeFolder);
  const cgroupMount = resolveCgroupRoot(null, 'bench');
  const bench: Bench = { folder, runtimeFolder, cgroupMount, signal: stop.signal };
  const peer = new RunningPeer(bench, processmaster(join(import.meta.dirname, '..')), 1);
  try {
    const stream = makeStream(folder, TIMES);
    await peer.start();
    const through: Readonly<Record<Sink, () => Promise<Throughput>>> = {
      processmaster: () => throughService(peer, stream, { compress: true, signal: stop.signal }),
      'without compression': () =>
        throughService(peer, stream, { compress: false, signal: stop.signal }),
      svlogd: () => throughPipe(bench, stream, 'svlogd'),
      cat: () => throughPipe(bench, stream, 'cat'),
    };
    const results: Record<Sink, Throughput[]> = {
      processmaster: [],
      'without compression': [],
      svlogd: [],
      cat: [],
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const sink of SINKS) results[sink].push(await through[sink]());
    }
    const idle = await notice(peer);
    const loud = await whileLoud(peer, () => notice(peer));
    const section = report(results, idle, loud);
    process.stdout.write(`${section}\n`);
    writeSection(join(import.meta.dirname, 'RESULTS.md'), section);
  } finally {
    await peer.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function whileLoud<T>(peer: RunningPeer, act: () => Promise<T>): Promise<T> {
  const folder = dirname(dirname(peer.instance.environment.PMCTL_SOCK ?? ''));
  const definition = join(folder, 'config.d/flood.yaml');
  mkdirSync(join(folder, 'work/flood'));
  const process = { working_directory: join(folder, 'work/flood'), start_command: ['yes'] };
  writeFileSync(definition, JSON.stringify({ process }));
  await delay(3_000, undefined, { signal: stop.signal });
  const result = await act();
  rmSync(definition);
  return result;
}

async function notice(peer: RunningPeer): Promise<Notice> {
  const { status, environment } = peer.instance;
  const restarts: number[] = [];
  for (let count = 0; count < RESTARTS; count += 1) {
    const argv = [status[0] ?? '', 'restart', 's0'];
    restarts.push((await run(argv, environment, stop.signal)).elapsedMs);
  }
  const answers = await pings(environment.PMCTL_SOCK ?? '');
  return { restartMs: quantile(restarts, 0.5), answerP99Ms: quantile(answers, 0.99) };
}

/** The ms of a question and its answer, one after the other, over one connection. */
async function pings(socketPath: string): Promise<readonly number[]> {
  const socket = connect(socketPath);
  const request = { jsonrpc: '2.0', id: 1, method: 'daemon.version', params: {} };
  const elapsed: number[] = [];
  try {
    for (let count = 0; count < PINGS; count += 1) {
      const askedAtMs = performance.now();
      const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve));
      socket.write(`${JSON.stringify(request)}\n`);
      if (!(await answer).includes('"result"')) throw new Error(`no answer: ${await answer}`);
      elapsed.push(performance.now() - askedAtMs);
      await delay(5, undefined, { signal: stop.signal });
    }
  } finally {
    socket.destroy();
  }
  return elapsed;
}

function report(results: Record<Sink, Throughput[]>, idle: Notice, loud: Notice): string {
  const median = (sink: Sink, figure: keyof Throughput) =>
    quantile(
      results[sink].map((result) => result[figure]),
      0.5,
    );
  const rows = SINKS.map((sink) => {
    const speed = median(sink, 'megabytesPerSecond');
    const ratios = (['svlogd', 'cat'] as const).map((other) =>
      (speed / median(other, 'megabytesPerSecond')).toFixed(2),
    );
    return `| ${sink} | ${speed.toFixed(0)} | ${median(sink, 'cpuMsPerMegabyte').toFixed(2)} | ${ratios.join(' | ')} |`;
  });
  return `## One service that says as much as it can

Command: \`npm run bench:logs\`

Medians of ${ROUNDS} interleaved rounds; Node ${process.versions.node}, Linux ${release().split('.').slice(0, 2).join('.')}, ${availableParallelism()} cores, ${new Date().toISOString().slice(0, 10)}. The stream is
${TIMES} × 64 MB of lines of 100 bytes out of the page cache. processmaster rotates at 10 MB with 10 backups and compresses
what has been there for two seconds (its gzip, of the lowest priority, counts as its CPU); svlogd rotates at 10 MB with 10 backups and compresses nothing; \`cat\` writes one file.
The load average was ${loadavg()[0]?.toFixed(0)} at the end: on a busy machine, ratios to \`cat\` are worse than on an idle one.

|               | MB/s | CPU ms per MB | × svlogd | × cat |
| ------------- | ---- | ------------- | -------- | ----- |
${rows.join('\n')}

Goals: at least 3 × svlogd and 0.55 × cat.

What others notice, idle and beside a service that says \`y\` without end:

|                                       | idle | beside it |
| ------------------------------------- | ---- | --------- |
| \`pmctl restart\` of another service, ms | ${idle.restartMs.toFixed(0)}   | ${loud.restartMs.toFixed(0)}        |
| answer of the daemon, 99 % within, ms | ${idle.answerP99Ms.toFixed(1)}  | ${loud.answerP99Ms.toFixed(1)}       |

Goals: at most twice as long; under 50 ms.`;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
