/**
 * Processmaster beside supervisord and pm2, measured in turns in one run: `npm run bench`.
 * Needs root and cgroup v2. All that it starts ends with it, also on Ctrl-C.
 */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { resolveCgroupRoot } from '../src/host/cgroup-mount.ts';
import {
  measureBareNode,
  measureIdleCpu,
  measureMemory,
  measureRestart,
  measureStatus,
} from './measurements.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import type { Peer, PeerName } from './peer.ts';
import { pm2 } from './peer-pm2.ts';
import { processmaster } from './peer-processmaster.ts';
import { supervisord } from './peer-supervisord.ts';
import { report, writeSection } from './report.ts';
import { type Bench, RunningPeer } from './running-peer.ts';
import { Samples } from './samples.ts';

/** What follows a burst of starts is over by then: Node collects garbage up to 15 s later. */
const SETTLE_MS = 20_000;

const TMPFS_MAGIC = 0x01021994;

await main();

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Not once: a second Ctrl-C must not end what the first one set going, the cleaning up.
    process.on(name, () => {
      process.exitCode = 128 + constants.signals[name];
      stop.abort();
    });
  }
  try {
    const options = parseOptions(process.argv.slice(2), join(import.meta.dirname, 'RESULTS.md'));
    if (options === null) process.stdout.write(USAGE);
    else await compare(options, stop.signal);
  } catch (error) {
    process.exitCode ??= 1;
    const reason = error instanceof Error ? error.message : error;
    say(`bench: ${stop.signal.aborted ? 'stopped' : reason}`);
  }
}

async function compare(options: Options, signal: AbortSignal): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pmbench-'));
  const runtimeFolder = mkdtempSync(join(memoryFileSystem(), 'pmbench-'));
  try {
    const bench = { folder, runtimeFolder, cgroupMount: resolveCgroupRoot(null, 'bench'), signal };
    const peers: Peer[] = [];
    for (const name of options.peers) peers.push(await preparePeer(name, bench));
    const samples = new Samples();
    for (const count of options.counts) {
      for (let round = 0; round < options.rounds; round++) {
        say(`N = ${count}, round ${round + 1} of ${options.rounds}`);
        await measureRound(bench, rotated(peers, round), count, options.idleSeconds, samples);
      }
    }
    const section = report(options, peers, samples);
    process.stdout.write(`${section}\n`);
    if (options.resultsPath !== null) writeSection(options.resultsPath, section);
  } finally {
    for (const path of [folder, runtimeFolder]) rmSync(path, { recursive: true, force: true });
  }
}

/** /run where it is a tmpfs, else the one that every Linux has; statfs(2) tells the type. */
function memoryFileSystem(): string {
  return statfsSync('/run').type === TMPFS_MAGIC ? '/run' : '/dev/shm';
}

function preparePeer(name: PeerName, { folder, signal }: Bench): Peer | Promise<Peer> {
  switch (name) {
    case 'processmaster':
      return processmaster(join(import.meta.dirname, '..'));
    case 'supervisord':
      return supervisord(signal);
    case 'pm2':
      return pm2(join(folder, 'pm2'), signal);
  }
}

async function measureRound(
  bench: Bench,
  peers: readonly Peer[],
  count: number,
  idleSeconds: number,
  samples: Samples,
): Promise<void> {
  const running: RunningPeer[] = [];
  try {
    for (const peer of peers) {
      const started = new RunningPeer(bench, peer, count);
      running.push(started);
      const spawnMs = await started.start();
      say(`  ${peer.name}: all run after ${spawnMs.toFixed(0)} ms`);
      samples.add('spawnMs', peer.name, count, spawnMs);
    }
    await delay(SETTLE_MS, undefined, { signal: bench.signal });
    await measureIdleCpu(running, idleSeconds, samples, bench.signal);
    for (const one of running) measureMemory(one, samples);
    await measureBareNode(count, samples, bench.signal);
    await measureStatus(running, count, samples, bench.signal);
    await measureRestart(running, samples, bench.signal);
  } finally {
    for (const one of running) await one.end();
  }
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const from = by % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
