import { formatLocalTime } from '../lib/local-time.ts';
import { spokenSpan } from '../lib/spoken-span.ts';
import type { Action } from '../model/action.ts';
import { type History, hasActiveRun } from '../model/history.ts';
import { jobBounds } from '../model/job-bounds.ts';
import { jitterOffsetMs } from '../model/job-jitter.ts';
import { describeTry, type JobProgress, type SlotRecord } from '../model/job-progress.ts';
import type { AcceptedSpec, JobSpec } from '../model/service-spec.ts';
import type { Condition } from '../model/status.ts';
import { joinSkipped, judgeDueSlots } from './due-slots.ts';
import { planProvisioning } from './plan-provisioning.ts';
import { planDown, planPresent, startAction } from './plan-service.ts';
import { overdueAtMs } from './settle-job.ts';
import type { Plan, Situation } from './situation.ts';

/** A suspended host and a clock that was set are noticed within this time. */
const LOOK_AGAIN_MS = 30_000;

/** A job that there is something to decide about: it is defined, and its progress is known. */
interface JobSituation extends Situation {
  readonly accepted: AcceptedSpec;
  readonly job: JobSpec;
  readonly progress: JobProgress;
  readonly offsetMs: number;
}

/**
 * The plan of a job: what runs is looked after as of any service; slots that are due are recorded, and
 * the newest of them is run if it may. Pure.
 */
export function planJob(situation: Situation, accepted: AcceptedSpec, job: JobSpec): Plan {
  const progress = situation.history.job;
  const present = planPresent(situation);
  const { kind } = situation.observation.cgroup;
  const isLeftAlone = kind === 'unknown' || situation.shuttingDown || progress === null;
  if (isLeftAlone) return present ?? planDown(situation);
  const offsetMs = jitterOffsetMs(situation.hostId, accepted.spec.name, job.jitterMs);
  const known: JobSituation = { ...situation, accepted, job, progress, offsetMs };
  const planned = present === null ? planIdle(known) : planBusy(known, present);
  const conditions = [...planned.conditions, ...jobConditions(known)];
  return { ...planned, conditions, requeueAfterMs: lookAgainMs(known, planned.requeueAfterMs) };
}

/** Something runs, or is about to, or is being stopped: what is due meanwhile is skipped. */
function planBusy(situation: JobSituation, present: Plan): Plan {
  const number = situation.history.run?.number;
  const busy = `run ${number ?? 0} was still there`;
  const slots = dueSlots(situation, hasActiveRun(situation.history) ? busy : 'it was still there');
  return { ...present, actions: [...recorded(situation, slots), ...present.actions] };
}

function planIdle(situation: JobSituation): Plan {
  if (situation.wanted.kind !== 'run') return planReady(situation);
  const { isReady, ...provisioning } = planProvisioning(situation, situation.accepted);
  if (!isReady) return planUnready(situation, provisioning);
  const planned = planReady(situation);
  return { ...planned, conditions: [...planned.conditions, ...provisioning.conditions] };
}

/** What is due waits for the provisioning, but not for one that failed. */
function planUnready(situation: JobSituation, provisioning: Plan): Plan {
  const failed = provisioning.conditions.find(({ type }) => type === 'ProvisioningFailed');
  const reason = `it could not be provisioned: ${failed?.message ?? ''}`;
  const due = failed === undefined ? [] : dueSlots(situation, null);
  const slots = due.map(
    (slot): SlotRecord => (slot.outcome === null ? { ...slot, outcome: 'failed', reason } : slot),
  );
  const waiting = stayDown(situation, slots);
  return { ...provisioning, actions: [...waiting.actions, ...provisioning.actions] };
}

function planReady(situation: JobSituation): Plan {
  const due = dueSlots(situation, null);
  const toRun = due.find(({ outcome }) => outcome === null);
  const open = openSlot(situation);
  if (toRun !== undefined) {
    const slots = [...open.map((slot) => over(situation, slot, 'its next slot came')), ...due];
    return begin(situation, slots, toRun.slotMs, reasonOf(toRun));
  }
  const byOperator = operatorsStart(situation);
  if (byOperator !== null) {
    const slots = [...open.map((slot) => over(situation, slot, 'an operator started it')), ...due];
    return begin(situation, slots, null, byOperator);
  }
  return planOpen(situation, open[0] ?? null, due);
}

/** The slot that was recorded to be run and is not over: after a failed try, or after a crash. */
function planOpen(
  situation: JobSituation,
  slot: SlotRecord | null,
  due: readonly SlotRecord[],
): Plan {
  const { progress, job, now } = situation;
  const { retryAtMonotonicMs } = progress;
  const blocked = blockedBy(situation);
  if (slot === null) return stayDown(situation, due);
  if (blocked !== null) return stayDown(situation, [over(situation, slot, blocked), ...due]);
  if (retryAtMonotonicMs === null) {
    const isCaughtUp = slot.run === null && job.catchUp === 'last';
    if (!isCaughtUp) return stayDown(situation, [lost(slot), ...due]);
    return begin(situation, due, slot.slotMs, `${slotText(slot.slotMs)}, after a crash`);
  }
  const tryText = describeTry(slot.tries + 1, job);
  if (retryAtMonotonicMs <= now.monotonicMs) {
    return begin(situation, due, slot.slotMs, `${slotText(slot.slotMs)}, ${tryText}`);
  }
  const waiting = stayDown(situation, due);
  const message = `${slotText(slot.slotMs)} failed; ${tryText} comes after process.retry_delay`;
  return {
    ...waiting,
    requeueAfterMs: retryAtMonotonicMs - now.monotonicMs,
    conditions: [{ type: 'Backoff', message }],
  };
}

function openSlot({ progress }: JobSituation): readonly SlotRecord[] {
  return progress.current === null ? [] : [progress.current];
}

/** One that was to be tried (again) has failed; one that a crash came upon is lost. */
function over({ progress }: JobSituation, slot: SlotRecord, reason: string): SlotRecord {
  return progress.retryAtMonotonicMs === null ? lost(slot) : { ...slot, outcome: 'failed', reason };
}

function lost(slot: SlotRecord): SlotRecord {
  const reason = 'the daemon or the host went down while it was being run';
  return { ...slot, outcome: 'lost', reason };
}

function dueSlots(situation: JobSituation, busy: string | null): readonly SlotRecord[] {
  const { progress, job, now, offsetMs } = situation;
  const untilMs = now.wallMs - offsetMs;
  if (progress.nextSlotMs === null || progress.nextSlotMs > untilMs) return [];
  return judgeDueSlots({
    schedule: progress.schedule,
    firstMs: progress.nextSlotMs,
    untilMs,
    bounds: jobBounds(job),
    catchUp: job.catchUp,
    blocked: blockedBy(situation),
    busy,
  });
}

/** Why no slot is run, whichever; `null` when nothing is against it. Forced is a run, not its slots. */
function blockedBy({ wanted, accepted }: JobSituation): string | null {
  if (wanted.kind === 'stop') return wanted.why === 'operator' ? STOPPED : wanted.reason;
  return accepted.spec.enabled ? null : DISABLED;
}

/** Constant, so that slots in a row can be told together. */
const STOPPED = 'stopped by an operator';
const DISABLED = 'global.enabled is false';

function operatorsStart({ wanted, intent, progress, history }: JobSituation): string | null {
  if (wanted.kind !== 'run' || intent?.want !== 'run') return null;
  const isNew = intent.id > progress.servedIntentId && intent.id > (history.run?.intentId ?? 0);
  return isNew ? `requested by ${intent.actor}` : null;
}

/** Records first, whatever happens then; a cgroup of the run before would count that run's use, too. */
function begin(
  situation: JobSituation,
  slots: readonly SlotRecord[],
  slotMs: number | null,
  reason: string,
): Plan {
  const run = startAction(situation, situation.accepted, reason);
  const start = slotMs === null ? run : { ...run, slotMs };
  return {
    actions: [...recorded(situation, slots), ...tidied(situation), start],
    requeueAfterMs: null,
    conditions: [{ type: 'Starting', message: reason }],
  };
}

function stayDown(situation: JobSituation, slots: readonly SlotRecord[]): Plan {
  const actions = [...recorded(situation, slots), ...tidied(situation)];
  return { actions, requeueAfterMs: null, conditions: [] };
}

function tidied({ observation }: JobSituation): readonly Action[] {
  return observation.cgroup.kind === 'empty'
    ? [{ kind: 'remove-cgroup', reason: 'nothing runs in it' }]
    : [];
}

function recorded(
  { progress, now, offsetMs }: JobSituation,
  slots: readonly SlotRecord[],
): readonly Action[] {
  if (slots.length === 0) return [];
  const isLasting = (reason: string) => !reason.endsWith(STILL_THERE);
  const joined = joinSkipped(progress.last, slots, isLasting);
  const newestMs = Math.max(...slots.map(({ lastSlotMs }) => lastSlotMs));
  const doneUntilMs = Math.min(newestMs, now.wallMs - offsetMs);
  return [{ kind: 'record-slots', slots: joined, doneUntilMs, reason: 'they are due' }];
}

const STILL_THERE = 'was still there';

function reasonOf(slot: SlotRecord): string {
  return slot.reason === null ? slotText(slot.slotMs) : `${slotText(slot.slotMs)}, ${slot.reason}`;
}

function slotText(slotMs: number): string {
  return `slot ${formatLocalTime(slotMs)}`;
}

/** What is true of a job whatever runs. */
function jobConditions(situation: JobSituation): readonly Condition[] {
  const { progress, job, wanted, accepted, offsetMs, now } = situation;
  const conditions: Condition[] = [];
  if (progress.heldUntilMonotonicMs !== null) {
    const message = `its schedule gave no time after its last slot; it is asked again in a minute`;
    conditions.push({ type: 'ScheduleHeld', message });
  }
  if (wanted.kind === 'run' && accepted.spec.enabled) {
    conditions.push({ type: 'Scheduled', message: scheduledText(progress, offsetMs, now.wallMs) });
  }
  if (progress.isOverdue && job.expectWithinMs !== null) {
    const since = progress.lastSuccessAtMs;
    const last = since === null ? 'never yet' : `last at ${formatLocalTime(since)}`;
    const message = `no success within ${spokenSpan(job.expectWithinMs)} (${last})`;
    conditions.push({ type: 'Overdue', message });
  }
  return conditions;
}

function scheduledText(progress: JobProgress, offsetMs: number, nowMs: number): string {
  const { nextSlotMs, doneUntilMs } = progress;
  if (nextSlotMs === null) return 'no slot comes any more';
  const jitter = offsetMs === 0 ? '' : `, begun ${spokenSpan(offsetMs)} later`;
  const isSetBack = doneUntilMs - nowMs > CLOCK_SET_BACK_MS;
  const back = isSetBack
    ? `; the clock was set back behind the slot ${formatLocalTime(doneUntilMs)}, and no slot is repeated (a change of the schedule begins anew)`
    : '';
  return `next slot ${formatLocalTime(nextSlotMs)}${jitter}${back}`;
}

const CLOCK_SET_BACK_MS = 120_000;

/** The next slot, the end of the time for the run, the success that is expected: whichever is first. */
function lookAgainMs(situation: JobSituation, plannedMs: number | null): number {
  const { progress, job, now, offsetMs, history } = situation;
  const overdueMs = progress.isOverdue ? null : overdueAtMs(progress, job);
  const waits = [
    LOOK_AGAIN_MS,
    plannedMs,
    progress.nextSlotMs === null ? null : progress.nextSlotMs + offsetMs - now.wallMs,
    overdueMs === null ? null : overdueMs + 1 - now.wallMs,
    runEndsInMs(history, job, now.monotonicMs),
  ];
  return Math.max(Math.min(...waits.filter((ms) => ms !== null)), 0);
}

function runEndsInMs(history: History, { maxTimePerRunMs }: JobSpec, nowMs: number) {
  if (maxTimePerRunMs === null || !hasActiveRun(history) || history.stop !== null) return null;
  return history.run.launchedAt.monotonicMs + maxTimePerRunMs - nowMs;
}
