import type { Instant } from '../lib/clock.ts';
import type { DesiredService } from '../model/desired.ts';
import { type History, hasActiveRun } from '../model/history.ts';
import type { Intent } from '../model/intent.ts';
import type { JobProgress, RunOutcome } from '../model/job-progress.ts';
import { outcomeOfRun } from '../model/run-outcome.ts';
import { nextSlotMs, type Schedule } from '../model/schedule.ts';
import type { JobSpec, ServiceSpec } from '../model/service-spec.ts';
import { hostZone } from '../model/zone-offsets.ts';

/** How long a job is left alone whose schedule gave a next slot that cannot be. */
const HELD_MS = 60_000;

type NextSlot = (schedule: Schedule, afterMs: number) => number | null;

/**
 * Brings a job's progress up to what is so: its schedule, a run that took too long or is over, an
 * operator's start that has had its run, its next slot, whether a success is overdue. `before` is
 * the history before this pass saw whether its run is over. Pure; the same object when nothing changed.
 */
export function settleJob(
  before: History,
  history: History,
  desired: DesiredService | null,
  intent: Intent | null,
  now: Instant,
  nextSlot: NextSlot = nextSlotMs,
): History {
  const spec = desired?.accepted?.spec;
  // While it is being removed, what it is with its slots does not matter any more.
  if (spec === undefined) return history;
  const { job } = spec;
  if (job === null) return history.job === null ? history : { ...history, job: null };
  const steps: readonly ((progress: JobProgress) => JobProgress)[] = [
    (progress) => noteOvertime(progress, before, job, now),
    (progress) => noteServed(progress, history, intent),
    (progress) => noteRunEnd(progress, before, history, spec, now),
    (progress) => noteNextSlot(progress, now, nextSlot),
    (progress) => noteOverdue(progress, spec, now),
  ];
  const progress = steps.reduce(
    (progress, step) => step(progress),
    onSchedule(history.job, job, intent, now),
  );
  return progress === history.job ? history : { ...history, job: progress };
}

/** Another schedule counts from now on: what the one before would have done is no question any more. */
function onSchedule(
  known: JobProgress | null,
  { schedule: cron, timezone }: JobSpec,
  intent: Intent | null,
  now: Instant,
): JobProgress {
  const schedule: Schedule = { cron, timezone: timezone ?? hostZone() };
  if (known === null) return begin(schedule, intent, now);
  const isSame =
    known.schedule.cron === schedule.cron && known.schedule.timezone === schedule.timezone;
  return isSame
    ? known
    : { ...known, schedule, doneUntilMs: now.wallMs, nextSlotMs: null, heldUntilMonotonicMs: null };
}

function begin(schedule: Schedule, intent: Intent | null, now: Instant): JobProgress {
  return {
    schedule,
    doneUntilMs: now.wallMs,
    nextSlotMs: null,
    heldUntilMonotonicMs: null,
    current: null,
    retryAtMonotonicMs: null,
    last: null,
    lastRun: null,
    lastSuccessAtMs: null,
    sinceMs: now.wallMs,
    isOverdue: false,
    overtimeRun: null,
    servedIntentId: intent?.id ?? 0,
  };
}

/** From the run's start, on a clock that goes on while the daemon is away. */
function noteOvertime(
  progress: JobProgress,
  history: History,
  { maxTimePerRunMs }: JobSpec,
  now: Instant,
): JobProgress {
  if (maxTimePerRunMs === null || !hasActiveRun(history) || history.stop !== null) return progress;
  const { number, launchedAt } = history.run;
  const isOver = now.monotonicMs - launchedAt.monotonicMs >= maxTimePerRunMs;
  return isOver === (progress.overtimeRun === number)
    ? progress
    : { ...progress, overtimeRun: isOver ? number : null };
}

/** A start of what runs already is served by that run. While a stop is under way, it waits. */
function noteServed(progress: JobProgress, history: History, intent: Intent | null): JobProgress {
  if (intent?.want !== 'run' || intent.restart || intent.id <= progress.servedIntentId) {
    return progress;
  }
  const isServed = hasActiveRun(history) && history.stop === null;
  return isServed ? { ...progress, servedIntentId: intent.id } : progress;
}

function noteRunEnd(
  progress: JobProgress,
  before: History,
  { run, runEnd }: History,
  { successExitCodes, job }: ServiceSpec,
  now: Instant,
): JobProgress {
  if (run === null || runEnd === null || before.runEnd !== null || job === null) return progress;
  const outcome = outcomeOfRun(runEnd, progress.overtimeRun === run.number, successExitCodes);
  const slot = progress.current?.run === run.number ? progress.current : null;
  const atMs = runEnd.at.wallMs;
  const lastRun: RunOutcome = { run: run.number, slotMs: slot?.slotMs ?? null, outcome, atMs };
  const lastSuccessAtMs = outcome === 'ok' ? atMs : progress.lastSuccessAtMs;
  const known = { ...progress, lastRun, lastSuccessAtMs };
  if (slot === null) return known;
  if (outcome === 'failed' && slot.tries <= job.retries) {
    return { ...known, retryAtMonotonicMs: now.monotonicMs + job.retryDelayMs };
  }
  return { ...known, current: null, last: { ...slot, outcome }, retryAtMonotonicMs: null };
}

/** croner has been known to give a time again, or one that was over: that must not become a loop. */
function noteNextSlot(progress: JobProgress, now: Instant, nextSlot: NextSlot): JobProgress {
  if (progress.nextSlotMs !== null) return progress;
  const { heldUntilMonotonicMs, schedule, doneUntilMs } = progress;
  if (heldUntilMonotonicMs !== null && heldUntilMonotonicMs > now.monotonicMs) return progress;
  const nextSlotMs = nextSlot(schedule, doneUntilMs);
  if (nextSlotMs === null) return progress;
  return nextSlotMs > doneUntilMs
    ? { ...progress, nextSlotMs, heldUntilMonotonicMs: null }
    : { ...progress, heldUntilMonotonicMs: now.monotonicMs + HELD_MS };
}

/** A job that is disabled is expected to do nothing. */
function noteOverdue(progress: JobProgress, { job, enabled }: ServiceSpec, now: Instant) {
  const dueMs = job === null ? null : overdueAtMs(progress, job);
  const isOverdue = enabled && dueMs !== null && now.wallMs > dueMs;
  return isOverdue === progress.isOverdue ? progress : { ...progress, isOverdue };
}

/** Without a success until then it is overdue; `null` when none is expected. */
export function overdueAtMs(progress: JobProgress, { expectWithinMs }: JobSpec): number | null {
  if (expectWithinMs === null) return null;
  return (progress.lastSuccessAtMs ?? progress.sinceMs) + expectWithinMs;
}
