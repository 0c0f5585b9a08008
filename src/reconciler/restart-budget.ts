import { type Exit, type History, RECENTLY_MS } from '../model/history.ts';
import type { RestartPolicyName, RestartSpec, ServiceSpec } from '../model/service-spec.ts';

/** A run this long ends a series of failures: the next delay is the base again. */
const STABLE_RUN_MS = 60_000;

/** Whether an exit is a failure in the service's own terms. An unknown exit counts as one. */
export function isFailure(exit: Exit, successExitCodes: readonly number[]): boolean {
  return exit.kind !== 'exited' || !successExitCodes.includes(exit.code);
}

/** Whether the policy asks for a restart after a service ended by itself in this way. */
function policyWantsRestart(policy: RestartPolicyName, failure: boolean): boolean {
  switch (policy) {
    case 'always':
      return true;
    case 'on-failure':
      return failure;
    case 'never':
      return false;
  }
}

/** Whether the spec asks for a restart after this exit. A start that could not happen is retried like a crash. */
export function wantsRestart(spec: ServiceSpec, exit: Exit): boolean {
  return policyWantsRestart(spec.restart.policy, isFailure(exit, spec.successExitCodes));
}

/**
 * Delay before the next try after `failuresInARow` failures (1 for the first): doubling, at most
 * `backoffMaxMs`, then ±20 %. `random` is in [0, 1).
 */
export function backoffDelayMs(
  restart: RestartSpec,
  failuresInARow: number,
  random: number,
): number {
  const doubled = restart.backoffMs * 2 ** Math.min(failuresInARow - 1, 40);
  const limited = Math.min(doubled, Math.max(restart.backoffMaxMs, restart.backoffMs));
  return Math.round(limited * (0.8 + 0.4 * random));
}

/** Restart times that still count within the tolerance window at `nowMs` (monotonic). */
function restartsInWindow(
  restartsMonotonicMs: readonly number[],
  toleranceMs: number,
  nowMs: number,
): readonly number[] {
  return restartsMonotonicMs.filter((atMs) => nowMs - atMs < toleranceMs);
}

/** At least so many restarts are remembered: the window needs `maxRestarts`, people want more. */
const REMEMBERED_RESTARTS = 256;

/**
 * The verdict on a service that ended by itself and wants to be restarted: either a time for the
 * next start, or the tolerance is exhausted.
 */
export function grantRestart(
  history: History,
  restart: RestartSpec,
  ranMs: number,
  nowMonotonicMs: number,
  random: number,
): Pick<
  History,
  'consecutiveFailures' | 'restartsMonotonicMs' | 'nextStartMonotonicMs' | 'failed'
> {
  const consecutiveFailures = ranMs >= STABLE_RUN_MS ? 1 : history.consecutiveFailures + 1;
  const counted = restartsInWindow(
    history.restartsMonotonicMs,
    restart.toleranceMs,
    nowMonotonicMs,
  );
  const kept = Math.max(restart.toleranceMs, RECENTLY_MS);
  const remembered = restartsInWindow(history.restartsMonotonicMs, kept, nowMonotonicMs);
  if (counted.length >= restart.maxRestarts) {
    return {
      consecutiveFailures,
      restartsMonotonicMs: remembered,
      nextStartMonotonicMs: null,
      failed: true,
    };
  }
  const atMostRemembered = Math.max(REMEMBERED_RESTARTS, restart.maxRestarts);
  return {
    consecutiveFailures,
    restartsMonotonicMs: [...remembered, nowMonotonicMs].slice(-atMostRemembered),
    nextStartMonotonicMs: nowMonotonicMs + backoffDelayMs(restart, consecutiveFailures, random),
    failed: false,
  };
}
