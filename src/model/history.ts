import type { Instant } from '../lib/clock.ts';
import type { EnvironmentDigest } from './environment-reading.ts';
import type { JobProgress } from './job-progress.ts';
import type { ProcessIdentity } from './observation.ts';
import { describeOutOfMemory, type OutOfMemory } from './out-of-memory.ts';
import type { RunUsage } from './run-usage.ts';
import type { AcceptedSpec } from './service-spec.ts';

/** How a process ended, or why it never began. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | {
      readonly kind: 'signaled';
      readonly signal: string;
      /** The kernel killed processes of that run because memory ran out. */
      readonly outOfMemory?: OutOfMemory;
    }
  | { readonly kind: 'launch_failed'; readonly stage: string; readonly message: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** One execution of a service. */
export interface Run {
  /** Counts the runs of this service. */
  readonly number: number;
  readonly launchedAt: Instant;
  /** The spec it was started with; `null` when it was found running without a record. */
  readonly accepted: AcceptedSpec | null;
  /** Id of the newest intent when it was started; 0 when there was none. */
  readonly intentId: number;
  readonly reason: string;
  /** So far; left out where there was none of it. */
  readonly outOfMemory?: OutOfMemory;
  /** What its environment was made from; left out where that is not known, or nothing but the spec. */
  readonly environmentDigest?: EnvironmentDigest;
}

/** A stop under way: requested, then (after the grace) forced. */
export interface StopProgress {
  readonly requestedAt: Instant;
  readonly reason: string;
  /** Processes that were there when the stop began. */
  readonly processes: number;
  /** When they were asked to end: `null` until that was done, so that it is done by the next daemon. */
  readonly askedAtMonotonicMs: number | null;
  /** The stop command could not be run: the signal has to do. */
  readonly commandFailed: boolean;
  /** `null` until the grace was over. */
  readonly killedAtMonotonicMs: number | null;
  /** Processes that had to be killed. */
  readonly killed: number;
}

/** Provisioning that failed, until it succeeds. */
export interface ProvisioningFailure {
  readonly at: Instant;
  /** Which entry, where, why, and what had been applied by then. */
  readonly message: string;
  /** Generation and newest intent when it began: what comes later is worth a new try at once. */
  readonly generation: number;
  readonly intentId: number;
  /** Failures in a row of that generation, without an operator in between. */
  readonly failures: number;
  /** `null` until it is settled. */
  readonly nextTryMonotonicMs: number | null;
}

/** How a run was over: the cgroup is empty. */
export interface RunEnd {
  /** When that was; where nobody saw it, when it was noticed. */
  readonly at: Instant;
  readonly exit: Exit;
  /** Set when the end was our doing. */
  readonly stop: StopProgress | null;
  /** What it had used by then; of jobs only. */
  readonly usage?: RunUsage;
}

/**
 * What happened to one service, as far as decisions need it: a fold over facts, written beside the
 * run in the runtime directory, so that the next daemon goes on from it (within the same boot).
 */
export interface History {
  /** Number of the newest run ever, also of runs before this boot. */
  readonly lastRunNumber: number;
  readonly run: Run | null;
  /** `null` while the run goes on (or there never was one). */
  readonly runEnd: RunEnd | null;
  /** How the run before this one was over, for people. */
  readonly previousEnd: RunEnd | null;
  /** The launched process; after a double fork the leader of what it left behind. */
  readonly main: ProcessIdentity | null;
  /** Whether `main` is the launched process itself, so that its exit status is ours to see. */
  readonly mainIsLaunched: boolean;
  /** How the launched process ended, once reported. */
  readonly launchedExit: Exit | null;
  readonly launchedExitAt: Instant | null;
  /** Others of the service were seen after that: the run is over later. */
  readonly mainOutlived: boolean;
  readonly stop: StopProgress | null;
  /** Ends by itself in a row, each after less than a minute: what the backoff doubles with. */
  readonly consecutiveFailures: number;
  /** Monotonic times of the restarts that were granted: the tolerance window looks at them. */
  readonly restartsMonotonicMs: readonly number[];
  readonly nextStartMonotonicMs: number | null;
  /** The tolerance is exhausted: no start until an operator's or a change of the spec. */
  readonly failed: boolean;
  /** Newest start intent that has cleared the counters. */
  readonly clearedByIntentId: number;
  /** Generation that has cleared the counters. */
  readonly clearedByGeneration: number;
  /** Set for a job. */
  readonly job: JobProgress | null;
  /** Left out by builds that knew of none. */
  readonly provisioning?: ProvisioningFailure | null;
}

/** Of a service that was never started. */
export const EMPTY_HISTORY: History = {
  lastRunNumber: 0,
  run: null,
  runEnd: null,
  previousEnd: null,
  main: null,
  mainIsLaunched: false,
  launchedExit: null,
  launchedExitAt: null,
  mainOutlived: false,
  stop: null,
  consecutiveFailures: 0,
  restartsMonotonicMs: [],
  nextStartMonotonicMs: null,
  failed: false,
  clearedByIntentId: 0,
  clearedByGeneration: 0,
  job: null,
};

/** A run is going on as far as we know: it was started and its cgroup has not been seen empty since. */
export function hasActiveRun(
  history: History,
): history is History & { readonly run: Run; readonly runEnd: null } {
  return history.run !== null && history.runEnd === null;
}

/** `exit code 3`, `killed by SIGKILL`, `could not be started (exec: …)`, for people. */
export function describeExit(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `exit code ${exit.code}`;
    case 'signaled':
      return exit.outOfMemory === undefined
        ? `killed by ${exit.signal}`
        : `OOMKilled: ${describeOutOfMemory(exit.outOfMemory)}`;
    case 'launch_failed':
      return exit.message;
    case 'unknown':
      return `exit status unknown (${exit.reason})`;
  }
}

/** What "recently" means where restarts are counted for people. */
export const RECENTLY_MS = 600_000;

/** Restarts within the last ten minutes. */
export function recentRestarts(history: History, nowMonotonicMs: number): number {
  return history.restartsMonotonicMs.filter((atMs) => nowMonotonicMs - atMs < RECENTLY_MS).length;
}
