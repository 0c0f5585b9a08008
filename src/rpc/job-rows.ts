import * as z from 'zod/mini';
import { exitRow } from './exit-row.ts';
import { logPosition } from './log-rows.ts';

const list = <T extends z.core.$ZodType>(item: T) => z.readonly(z.array(item));
const numberOrNull = z.nullable(z.number());
const textOrNull = z.nullable(z.string());

/** What became of slots, see model/job-progress; null while one is being run. */
const outcome = z.nullable(
  z.enum(['ok', 'failed', 'overtime', 'stopped', 'skipped', 'missed', 'lost']),
);
const exit = z.nullable(z.omit(exitRow, { at_ms: true }));

/** One line of `pmctl history`: a slot (or some in a row with one fate), or an operator's run. */
export const jobHistoryRow = z.object({
  application: z.string(),
  /** Null for a run that an operator began. */
  slot_ms: numberOrNull,
  /** The last of several slots; else the same. */
  last_slot_ms: numberOrNull,
  /** How many they are; null is not counted, and not a slot. */
  slots: numberOrNull,
  outcome,
  /** Why, where the outcome does not say it all. */
  reason: textOrNull,
  /** The last run for it; null when there was none. */
  run: numberOrNull,
  /** How many runs there were for it. */
  tries: z.number(),
  started_at_ms: numberOrNull,
  ended_at_ms: numberOrNull,
  duration_ms: numberOrNull,
  exit,
  /** Null where the kernel does not count it. */
  cpu_ms: numberOrNull,
  peak_memory_bytes: numberOrNull,
});

/** A slot to come. */
export const nextSlotRow = z.object({
  application: z.string(),
  slot_ms: z.number(),
  /** When it begins: the slot and the job's jitter. */
  start_ms: z.number(),
  /** Why it will not be run as things are; null when nothing is against it. */
  blocked: textOrNull,
});

/** A run that an operator began, and where its output is to be read on from. */
export const begunRun = z.object({ run: z.number(), positions: list(logPosition) });

/** What a run has written since, and how it ended. */
export const runOutput = z.object({
  stdout: z.string(),
  stderr: z.string(),
  /** Where to read on; give it back as it is. */
  positions: list(logPosition),
  /** Something of it may be missing: a file was emptied, replaced or removed before it was read. */
  gap: z.boolean(),
  /** It has ended, and nothing of its output comes any more but what was not read yet. */
  over: z.boolean(),
  /** Null while it goes on. */
  exit,
  outcome,
});

export type JobHistoryRow = z.output<typeof jobHistoryRow>;
export type NextSlotRow = z.output<typeof nextSlotRow>;
export type RunOutput = z.output<typeof runOutput>;
