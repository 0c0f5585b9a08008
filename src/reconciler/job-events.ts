import { formatDuration } from '../lib/duration.ts';
import { formatLocalTime } from '../lib/local-time.ts';
import type { Action } from '../model/action.ts';
import type { JobProgress, SlotRecord } from '../model/job-progress.ts';

/** An event as far as it is about a job: its kind and its words. */
export type JobEvent = readonly [kind: string, message: string];

/** What slots that are over without a run are to be told; `null` where there is nothing new. */
export function slotsEvent({ slots }: Action<'record-slots'>): JobEvent | null {
  // Of slots in a row with one lasting reason the first is news.
  const news = slots.filter(
    ({ outcome, slots }) => outcome !== null && (slots === null || slots === 1),
  );
  const last = news.at(-1);
  if (last === undefined) return null;
  const first = news[0] ?? last;
  const message =
    news.length === 1
      ? describeSlots(last)
      : `${news.length} slots from ${formatLocalTime(first.slotMs)} on, the last of them: ${describeSlots(last)}`;
  return [`job.${last.outcome}`, message];
}

function describeSlots({ slotMs, lastSlotMs, outcome, reason }: SlotRecord): string {
  const until = lastSlotMs === slotMs ? '' : ` to ${formatLocalTime(lastSlotMs)}`;
  return `slot ${formatLocalTime(slotMs)}${until} ${outcome}${reason === null ? '' : `: ${reason}`}`;
}

/** What became of a job between two passes. */
export function jobTransitions(
  before: JobProgress | null,
  after: JobProgress | null,
  nowMonotonicMs: number,
): readonly JobEvent[] {
  if (after === null) return [];
  const events: JobEvent[] = [];
  const { retryAtMonotonicMs, heldUntilMonotonicMs } = after;
  if (retryAtMonotonicMs !== null && retryAtMonotonicMs !== before?.retryAtMonotonicMs) {
    const delay = formatDuration(Math.max(retryAtMonotonicMs - nowMonotonicMs, 0));
    events.push(['job.retrying', `it failed, and is tried again in ${delay}`]);
  }
  if (heldUntilMonotonicMs !== null && heldUntilMonotonicMs !== before?.heldUntilMonotonicMs) {
    const after = 'its schedule gave no time after its last slot; it is asked again in a minute';
    events.push(['job.held', after]);
  }
  if (after.isOverdue && before?.isOverdue !== true) {
    const since = after.lastSuccessAtMs;
    const last =
      since === null ? 'there was none yet' : `the last was at ${formatLocalTime(since)}`;
    events.push(['job.overdue', `a success is overdue: ${last}`]);
  }
  if (!after.isOverdue && before?.isOverdue === true) {
    events.push(['job.recovered', 'a success is not overdue any more']);
  }
  return events;
}
