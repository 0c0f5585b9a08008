import type { JobBounds } from '../model/job-bounds.ts';
import type { SlotRecord } from '../model/job-progress.ts';
import { nextSlotMs, type Schedule } from '../model/schedule.ts';

/** So long after its time a slot is still run, as if it were in time: its own minute. */
const IN_TIME_MS = 60_000;
/** So many missed slots are told one by one; those before them together. */
const MOST_LISTED = 100;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What is to be known to decide on slots. */
export interface DueSlotsInput {
  readonly schedule: Schedule;
  /** The first slot that is not decided on yet. */
  readonly firstMs: number;
  /** Slots up to here are due: the wall clock, less the job's jitter. */
  readonly untilMs: number;
  readonly bounds: JobBounds;
  readonly catchUp: 'none' | 'last';
  /** Why no slot is run now, whichever; `null` when nothing is against it. */
  readonly blocked: string | null;
  /** Why the slot that is due cannot be run now; `null` when nothing runs. */
  readonly busy: string | null;
}

/**
 * What becomes of the slots that are due: each is skipped, missed or (the newest only) to be run,
 * which is told by the outcome `null`. Oldest first, never empty. Pure.
 */
export function judgeDueSlots(input: DueSlotsInput): readonly SlotRecord[] {
  const { listed, earlier } = dueSlots(input);
  const newest = listed.length - 1;
  const judged = listed.map((slotMs, index) =>
    index === newest ? judgeNewest(slotMs, input) : judgeOlder(slotMs, input),
  );
  return earlier === null ? judged : [judgeEarlier(earlier, input), ...judged];
}

interface DueSlots {
  readonly listed: readonly number[];
  /** The first and the last of those that are not listed. */
  readonly earlier: readonly [number, number] | null;
}

function dueSlots({ schedule, firstMs, untilMs }: DueSlotsInput): DueSlots {
  const from = slotsFrom(schedule, firstMs, untilMs, MOST_LISTED + 1);
  if (from.length <= MOST_LISTED) return { listed: from, earlier: null };
  const listed = newestSlots(schedule, firstMs, untilMs);
  return { listed, earlier: [firstMs, Math.max((listed[0] ?? untilMs) - MINUTE_MS, firstMs)] };
}

/** Looks ever further back until there are enough: schedules may be as uneven as they like. */
function newestSlots(schedule: Schedule, firstMs: number, untilMs: number): readonly number[] {
  for (let spanMs = HOUR_MS; ; spanMs *= 12) {
    const fromMs = Math.max(firstMs, untilMs - spanMs);
    const slots = slotsFrom(schedule, fromMs, untilMs, Number.POSITIVE_INFINITY);
    if (slots.length >= MOST_LISTED || fromMs === firstMs) return slots.slice(-MOST_LISTED);
  }
}

/** The slots from a moment on (included) until another (included). */
function slotsFrom(schedule: Schedule, fromMs: number, untilMs: number, most: number) {
  const slots: number[] = [];
  let slotMs = nextSlotMs(schedule, fromMs - 1);
  while (slotMs !== null && slotMs <= untilMs && slots.length < most) {
    slots.push(slotMs);
    slotMs = nextSlotMs(schedule, slotMs);
  }
  return slots;
}

function judgeEarlier([slotMs, lastSlotMs]: readonly [number, number], input: DueSlotsInput) {
  return { ...judgeOlder(slotMs, input), lastSlotMs, slots: null };
}

function judgeOlder(slotMs: number, { bounds, blocked }: DueSlotsInput): SlotRecord {
  const why = outOfBounds(slotMs, bounds) ?? blocked;
  return why === null ? over(slotMs, 'missed', MISSED) : over(slotMs, 'skipped', why);
}

const MISSED = 'nobody was there in time (the daemon or the host was down, or the clock was set)';

function judgeNewest(slotMs: number, input: DueSlotsInput): SlotRecord {
  const older = judgeOlder(slotMs, input);
  if (older.outcome === 'skipped') return older;
  const isInTime = input.untilMs - slotMs < IN_TIME_MS;
  if (!isInTime && input.catchUp === 'none') return older;
  if (input.busy !== null) return over(slotMs, 'skipped', input.busy);
  const reason = isInTime ? null : 'caught up: it had been missed';
  return { ...over(slotMs, 'missed', reason), outcome: null };
}

function outOfBounds(slotMs: number, { notBeforeMs, notAfterMs }: JobBounds): string | null {
  if (notBeforeMs !== null && slotMs < notBeforeMs) return 'before process.not_before';
  return notAfterMs !== null && slotMs > notAfterMs ? 'after process.not_after' : null;
}

function over(slotMs: number, outcome: 'missed' | 'skipped', reason: string | null): SlotRecord {
  return { slotMs, lastSlotMs: slotMs, slots: 1, outcome, reason, run: null, tries: 0 };
}

/**
 * Puts slots in a row that were skipped for one and the same lasting reason together, with the last
 * ones before them: a job that is disabled for a year is one record.
 */
export function joinSkipped(
  before: SlotRecord | null,
  slots: readonly SlotRecord[],
  isLasting: (reason: string) => boolean,
): readonly SlotRecord[] {
  const joined: SlotRecord[] = [];
  let last = before;
  for (const slot of slots) {
    const canJoin = slot.outcome === 'skipped' && isLasting(slot.reason ?? '');
    if (canJoin && last?.outcome === 'skipped' && last.reason === slot.reason) {
      const counted = last.slots === null || slot.slots === null ? null : last.slots + slot.slots;
      last = { ...last, lastSlotMs: slot.lastSlotMs, slots: counted };
      if (joined.length > 0 && joined.at(-1)?.slotMs === last.slotMs) joined.pop();
    } else {
      last = slot;
    }
    joined.push(last);
  }
  return joined;
}
