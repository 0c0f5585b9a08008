import { setTimeout as delay } from 'node:timers/promises';
import { ended, run, start } from './command.ts';
import { memoryOf } from './proc.ts';
import type { RunningPeer } from './running-peer.ts';
import { BARE_NODE, type Samples } from './samples.ts';

const STATUS_SAMPLES = 20;
const STATUS_BUDGET_MS = 10_000;
const RESTART_SAMPLES = 10;
/** Over supervisord's startsecs and pm2's min_uptime (1 s each), below which an end counts as a failed start. */
const BETWEEN_RESTARTS_MS = 1_300;
const KIB_PER_MIB = 1024;

/**
 * CPU time of all peers over the same idle seconds, as for 30 s of them; none when `seconds` is 0.
 * 60 s hold what each does once a minute just once.
 */
export async function measureIdleCpu(
  peers: readonly RunningPeer[],
  seconds: number,
  samples: Samples,
  signal: AbortSignal,
): Promise<void> {
  if (seconds === 0) return;
  const before = peers.map((running) => running.cpuMs());
  await delay(seconds * 1000, undefined, { signal });
  peers.forEach((running, index) => {
    const usedMs = running.cpuMs() - (before[index] ?? 0);
    const per30sMs = (usedMs * 30) / seconds;
    samples.add('idleCpuMs', running.peer.name, running.count, per30sMs);
  });
}

/** Memory of the daemon, and of any process that it keeps beside the services. */
export function measureMemory(running: RunningPeer, samples: Samples): void {
  const memories = running.supervisorPids().map(memoryOf);
  const { name } = running.peer;
  const dirty = memories.reduce((sum, memory) => sum + memory.privateDirtyKib, 0);
  const rss = memories.reduce((sum, memory) => sum + memory.rssKib, 0);
  samples.add('privateDirtyMib', name, running.count, dirty / KIB_PER_MIB);
  samples.add('rssMib', name, running.count, rss / KIB_PER_MIB);
}

/** Latency of each peer's `status`, in turns with a Node that does nothing, until the budget is used. */
export async function measureStatus(
  peers: readonly RunningPeer[],
  count: number,
  samples: Samples,
  signal: AbortSignal,
): Promise<void> {
  const bareNode = { subject: BARE_NODE, argv: [process.execPath, '-e', '0'], environment: {} };
  const commands = peers.map(({ peer, instance }) => ({
    subject: peer.name,
    argv: instance.status,
    environment: instance.environment,
  }));
  const usedMs = new Map<string, number>();
  for (let turn = 0; turn < STATUS_SAMPLES; turn++) {
    for (const { subject, argv, environment } of [...commands, bareNode]) {
      if ((usedMs.get(subject) ?? 0) > STATUS_BUDGET_MS) continue;
      const { elapsedMs } = await run(argv, environment, signal);
      usedMs.set(subject, (usedMs.get(subject) ?? 0) + elapsedMs);
      samples.add('statusMs', subject, count, elapsedMs);
    }
  }
}

/** Latency from kill -9 of one service to the next process in its place, peer after peer. */
export async function measureRestart(
  peers: readonly RunningPeer[],
  samples: Samples,
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 0; turn < RESTART_SAMPLES; turn++) {
    await delay(BETWEEN_RESTARTS_MS, undefined, { signal });
    for (const running of peers) {
      const services = running.services();
      const victim = services[(turn * 97) % services.length];
      if (victim === undefined) continue;
      samples.add('restartMs', running.peer.name, running.count, await running.restart(victim));
    }
  }
}

/** Memory of a Node that only waits: the floor of every daemon on this runtime. */
export async function measureBareNode(
  count: number,
  samples: Samples,
  signal: AbortSignal,
): Promise<void> {
  const argv = [process.execPath, '-e', 'setInterval(() => {}, 1e9)'];
  const child = start(argv, { stdio: 'ignore', signal });
  const end = ended(child);
  try {
    await delay(1000, undefined, { signal });
    const memory = memoryOf(child.pid ?? 0);
    samples.add('privateDirtyMib', BARE_NODE, count, memory.privateDirtyKib / KIB_PER_MIB);
    samples.add('rssMib', BARE_NODE, count, memory.rssKib / KIB_PER_MIB);
  } finally {
    child.kill('SIGKILL');
    await end;
  }
}
