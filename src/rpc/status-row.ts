import * as z from 'zod/mini';
import { exitRow } from './exit-row.ts';

const list = <T extends z.core.$ZodType>(item: T) => z.readonly(z.array(item));
const numberOrNull = z.nullable(z.number());
const textOrNull = z.nullable(z.string());

/** One recorded event, as it is printed. */
export const eventRow = z.object({
  seq: z.number(),
  at_ms: z.number(),
  service: textOrNull,
  kind: z.string(),
  message: z.string(),
  actor: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

/** What is looked up only for `detail: true`: it reads /proc and the journal. */
const statusDetail = z.object({
  processes: list(z.object({ pid: z.number(), uptime_ms: z.number(), command: z.string() })),
  events: list(eventRow),
});

/** What a table of all services needs; a tenth of the whole row. */
export const briefRow = z.object({
  application: z.string(),
  phase: z.string(),
  conditions: list(z.object({ type: z.string(), message: z.string() })),
  pids: list(z.number()),
  uptime_ms: numberOrNull,
  restarts_10m: z.number(),
  user_flags: list(z.string()),
  next_start_in_ms: numberOrNull,
  last_exit: z.nullable(exitRow),
  /** Of a job: when it is due next (less its jitter), and how its newest slots turned out. */
  next_slot_ms: numberOrNull,
  last_outcome: textOrNull,
});

/** One service, as `pmctl status --format json` prints it. */
export const statusRow = z.extend(briefRow, {
  description: z.string(),
  labels: z.record(z.string(), z.string()),
  /** False also when there never was a valid definition. */
  enabled: z.boolean(),
  running: z.boolean(),
  /** The kernel's word. */
  actual: z.enum(['RUNNING', 'STOPPED', 'UNKNOWN']),
  system_flags: list(z.string()),
  /** When each of `user_flags` is over; null for one that stays. */
  user_flag_expires_at_ms: z.record(z.string(), numberOrNull),
  /** In the order of `pids`; null for one that is gone already, empty without `detail`. */
  pid_uptimes_ms: list(numberOrNull),
  /** The launched process, or what it left behind after a double fork; null when nothing runs. */
  main_pid: numberOrNull,
  main_pid_gone: z.boolean(),
  /** Number of the newest run. */
  run: numberOrNull,
  generation: numberOrNull,
  source_file: textOrNull,
  working_directory: textOrNull,
  started_at_ms: numberOrNull,
  last_run_at_ms: numberOrNull,
  last_exit_code: numberOrNull,
  /** Who stopped it; null when no operator did. */
  stopped_by: textOrNull,
  /** Why, in that operator's words. */
  stopped_reason: textOrNull,
  /** When that stop is over; null for one that holds until somebody starts it. */
  stopped_until_ms: numberOrNull,
  provisioning_defined: z.boolean(),
  provisioning_marker: textOrNull,
  provisioning_marker_exists: z.boolean(),
  schedule: textOrNull,
  schedule_not_before_ms: numberOrNull,
  schedule_not_after_ms: numberOrNull,
  schedule_max_time_per_run_ms: numberOrNull,
  detail: z.nullable(statusDetail),
});

export type EventRow = z.output<typeof eventRow>;
export type BriefRow = z.output<typeof briefRow>;
export type StatusRow = z.output<typeof statusRow>;
