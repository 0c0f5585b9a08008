import type { StopProgress } from './history.ts';

/** Grace for a run whose spec nobody knows: the default of `process.stop_grace_period_ms`. */
export const DEFAULT_GRACE_MS = 5_000;
/** How often a cgroup that the kernel does not let go of is killed again. */
export const KILL_AGAIN_MS = 5_000;

/** When a stop's processes are killed (again), on the monotonic clock. */
export function killDueMonotonicMs(stop: StopProgress, graceMs: number): number {
  if (stop.killedAtMonotonicMs !== null) return stop.killedAtMonotonicMs + KILL_AGAIN_MS;
  return (stop.askedAtMonotonicMs ?? stop.requestedAt.monotonicMs) + graceMs;
}
