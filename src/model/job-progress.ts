import type { Schedule } from './schedule.ts';
import type { JobSpec } from './service-spec.ts';

/**
 * What became of a slot; each has exactly one:
 *
 * - `ok`        its run ended well
 * - `failed`    its run (the last try of it) ended badly, or could not be started
 * - `overtime`  its run took longer than it may, and was stopped
 * - `stopped`   its run was stopped for another reason: an operator, the daemon's end
 * - `skipped`   it was not run, on purpose: the run before still went on, the job was stopped or
 *               disabled, the slot was out of the job's bounds
 * - `missed`    nobody was there to run it
 * - `lost`      it was recorded, and how it went on is not known: a crash in between
 */
export type SlotOutcome = 'ok' | 'failed' | 'overtime' | 'stopped' | 'skipped' | 'missed' | 'lost';

/** One slot, or several in a row with one and the same fate. */
export interface SlotRecord {
  readonly slotMs: number;
  /** The last of several; else the same as `slotMs`. */
  readonly lastSlotMs: number;
  /** How many they are; `null` is not counted. */
  readonly slots: number | null;
  /** `null` while it is being run, or waits to be tried again. */
  readonly outcome: SlotOutcome | null;
  /** Why, for people; `null` where the outcome (and the run's exit) says it all. */
  readonly reason: string | null;
  /** The run of the last try; `null` when none was begun. */
  readonly run: number | null;
  readonly tries: number;
}

/** How the newest run that is over turned out, whoever began it. */
export interface RunOutcome {
  readonly run: number;
  /** `null` for a run that an operator began. */
  readonly slotMs: number | null;
  readonly outcome: SlotOutcome;
  readonly atMs: number;
}

/** How far a job is with its slots. Kept in the state directory, too: it outlives the boot. */
export interface JobProgress {
  /** What the slots are counted by; with another schedule they are counted from then on. */
  readonly schedule: Schedule;
  /** No slot up to here is decided on any more. Never goes back while the schedule stays. */
  readonly doneUntilMs: number;
  /** The first slot after that; `null` when there is none, or it is not known yet. */
  readonly nextSlotMs: number | null;
  /** When the schedule gave a next slot that is none: the guard against a tight loop. */
  readonly heldUntilMonotonicMs: number | null;
  /** The slot that is being run. */
  readonly current: SlotRecord | null;
  /** When that is tried again, after a failure. */
  readonly retryAtMonotonicMs: number | null;
  /** The newest slots that are over. */
  readonly last: SlotRecord | null;
  readonly lastRun: RunOutcome | null;
  readonly lastSuccessAtMs: number | null;
  /** When this began to be known: silence is counted from here until the first success. */
  readonly sinceMs: number;
  /** No success for longer than expected. */
  readonly isOverdue: boolean;
  /** The run that has taken longer than it may. */
  readonly overtimeRun: number | null;
  /** Newest start intent that has had its run. */
  readonly servedIntentId: number;
}

/** What the next boot, or a daemon after an orderly end, goes on from. */
export function afterBoot(progress: JobProgress): JobProgress {
  return {
    ...progress,
    heldUntilMonotonicMs: null,
    retryAtMonotonicMs: null,
    overtimeRun: null,
  };
}

/** `try 2 of 4`; the first one is not counted aloud. */
export function describeTry(tries: number, { retries }: JobSpec): string {
  return `try ${tries} of ${retries + 1}`;
}
