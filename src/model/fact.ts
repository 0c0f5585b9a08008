import type { Instant } from '../lib/clock.ts';
import type { EnvironmentDigest } from './environment-reading.ts';
import type { Exit, History, ProvisioningFailure, Run, StopProgress } from './history.ts';
import type { JobProgress, SlotRecord } from './job-progress.ts';
import type { ProcessIdentity } from './observation.ts';

/**
 * Something that happened once and cannot be read again later. It is recorded, then the name is
 * enqueued; from there on everything is level-triggered.
 */
export type Fact =
  /** Recorded before the process is spawned: a crash in between leaves a run without a process. */
  | {
      readonly kind: 'launching';
      readonly run: Run;
      /** Set where it is for a slot of a job. */
      readonly slotMs?: number;
    }
  /** Slots of a job that were decided on: one at the most is to be run, the others are over. */
  | {
      readonly kind: 'slots-recorded';
      readonly slots: readonly SlotRecord[];
      readonly doneUntilMs: number;
    }
  /** Nobody was asked to launch it: there was no such run. `before` is how it was until `launching`. */
  | { readonly kind: 'launch-withdrawn'; readonly runNumber: number; readonly before: History }
  | {
      readonly kind: 'launched';
      readonly runNumber: number;
      readonly main: ProcessIdentity;
      /** Left out where it is not known, or where the environment is made from the spec alone. */
      readonly environmentDigest?: EnvironmentDigest;
    }
  /** The launched process ended, or could not be launched at all. */
  | {
      readonly kind: 'launched-exit';
      readonly runNumber: number;
      readonly exit: Exit;
      readonly at: Instant;
    }
  /** Recorded before the first signal or the stop command. */
  | {
      readonly kind: 'stop-requested';
      readonly at: Instant;
      readonly reason: string;
      readonly processes: number;
    }
  /** The signal was sent, or the stop command runs. */
  | { readonly kind: 'stop-asked'; readonly atMonotonicMs: number }
  | { readonly kind: 'stop-command-failed' }
  | {
      readonly kind: 'provisioning-failed';
      readonly at: Instant;
      readonly message: string;
      readonly generation: number;
      readonly intentId: number;
    }
  /** An operator wants it tried now. */
  | { readonly kind: 'provisioning-requested' }
  | { readonly kind: 'kill-requested'; readonly atMonotonicMs: number; readonly killed: number };

/** Folds one fact into the history. Facts of an earlier run change nothing. */
export function applyFact(history: History, fact: Fact): History {
  switch (fact.kind) {
    case 'launching':
      return {
        ...history,
        lastRunNumber: fact.run.number,
        run: fact.run,
        runEnd: null,
        previousEnd: history.runEnd,
        main: null,
        mainIsLaunched: true,
        launchedExit: null,
        launchedExitAt: null,
        mainOutlived: false,
        stop: null,
        nextStartMonotonicMs: null,
        job: history.job && beginRun(history.job, fact),
      };
    case 'slots-recorded':
      return { ...history, job: history.job && recordSlots(history.job, fact) };
    case 'launch-withdrawn':
      return isOfRun(history, fact.runNumber) ? takeBack(history, fact.before) : history;
    case 'launched':
      // Told again by who did not know that it was recorded: a leader that was followed since stays.
      return isOfRun(history, fact.runNumber) && history.main === null
        ? { ...history, main: fact.main, run: launchedRun(history.run, fact) }
        : history;
    case 'launched-exit':
      return isOfRun(history, fact.runNumber) && history.runEnd === null
        ? { ...history, launchedExit: fact.exit, launchedExitAt: fact.at }
        : history;
    case 'stop-requested':
      // Asking again (after a failed try, by the next daemon) is not another stop.
      return history.stop === null ? { ...history, stop: beginStop(fact) } : history;
    case 'stop-asked':
      return history.stop === null
        ? history
        : { ...history, stop: { ...history.stop, askedAtMonotonicMs: fact.atMonotonicMs } };
    case 'stop-command-failed':
      return history.stop === null
        ? history
        : { ...history, stop: { ...history.stop, commandFailed: true } };
    case 'provisioning-failed':
      return { ...history, provisioning: failProvisioning(history, fact) };
    case 'provisioning-requested':
      return history.provisioning ? { ...history, provisioning: null } : history;
    case 'kill-requested':
      return history.stop === null
        ? history
        : {
            ...history,
            stop: {
              ...history.stop,
              killedAtMonotonicMs: fact.atMonotonicMs,
              // A repeated kill names the same processes again.
              killed: Math.max(history.stop.killed, fact.killed),
            },
          };
  }
}

function beginRun(
  job: JobProgress,
  { run, slotMs }: Fact & { readonly kind: 'launching' },
): JobProgress {
  const { current: slot } = job;
  const isForSlot = slot !== null && slot.slotMs === slotMs;
  const current = isForSlot ? { ...slot, run: run.number, tries: slot.tries + 1 } : slot;
  const servedIntentId = Math.max(job.servedIntentId, run.intentId);
  return { ...job, current, servedIntentId, retryAtMonotonicMs: null, overtimeRun: null };
}

function recordSlots(
  job: JobProgress,
  { slots, doneUntilMs }: Fact & { readonly kind: 'slots-recorded' },
): JobProgress {
  const isOver = slots.some(({ slotMs }) => slotMs === job.current?.slotMs);
  return {
    ...job,
    doneUntilMs: Math.max(job.doneUntilMs, doneUntilMs),
    nextSlotMs: doneUntilMs > job.doneUntilMs ? null : job.nextSlotMs,
    current: slots.find(({ outcome }) => outcome === null) ?? (isOver ? null : job.current),
    retryAtMonotonicMs: isOver ? null : job.retryAtMonotonicMs,
    last: slots.findLast(({ outcome }) => outcome !== null) ?? job.last,
  };
}

function isOfRun(history: History, runNumber: number): history is History & { readonly run: Run } {
  return history.run?.number === runNumber;
}

/** Undoes what `launching` did, and nothing else that happened since. */
function takeBack(history: History, before: History): History {
  const { lastRunNumber, run, runEnd, previousEnd, main, mainIsLaunched } = before;
  const { launchedExit, launchedExitAt, mainOutlived, stop, nextStartMonotonicMs } = before;
  return {
    ...history,
    ...{ lastRunNumber, run, runEnd, previousEnd, main, mainIsLaunched },
    ...{ launchedExit, launchedExitAt, mainOutlived, stop, nextStartMonotonicMs },
    job: history.job && before.job && takeBackRun(history.job, before.job, history.run),
  };
}

/** Its slot was not run: it is due again, at once. */
function takeBackRun(job: JobProgress, before: JobProgress, run: Run | null): JobProgress {
  const { current, servedIntentId } = before;
  const isOfSlot = job.current !== null && job.current.run === run?.number;
  const dueAtMs = before.retryAtMonotonicMs ?? run?.launchedAt.monotonicMs ?? null;
  return isOfSlot
    ? { ...job, current, servedIntentId, retryAtMonotonicMs: dueAtMs }
    : { ...job, servedIntentId };
}

function launchedRun(run: Run, { environmentDigest }: Fact & { readonly kind: 'launched' }): Run {
  return environmentDigest === undefined ? run : { ...run, environmentDigest };
}

function failProvisioning(
  { provisioning }: History,
  { at, message, generation, intentId }: Fact & { readonly kind: 'provisioning-failed' },
): ProvisioningFailure {
  const isAgain = provisioning?.generation === generation && provisioning.intentId === intentId;
  const failures = isAgain ? provisioning.failures + 1 : 1;
  return { at, message, generation, intentId, failures, nextTryMonotonicMs: null };
}

function beginStop(fact: Fact & { readonly kind: 'stop-requested' }): StopProgress {
  return {
    requestedAt: fact.at,
    reason: fact.reason,
    processes: fact.processes,
    askedAtMonotonicMs: null,
    commandFailed: false,
    killedAtMonotonicMs: null,
    killed: 0,
  };
}
