import * as z from 'zod/mini';
import { SAMPLE_FIELDS } from '../model/usage-sample.ts';

/** `null` is what nobody counts on this host, never 0. */
const count = z.nullable(z.number());

const pressure = z.nullable(
  z.object({
    /** Percent of the last ten seconds in which some task waited. */
    some_avg10: z.number(),
    full_avg10: count,
    some_total_us: z.number(),
  }),
);

/**
 * What a service uses now, and has used since its cgroup was made. Rates are differences of two rows of
 * one run: `at_monotonic_ms` is when it was read.
 */
export const usageRow = z.object({
  application: z.string(),
  /** The counts begin anew with each run. */
  run: count,
  at_monotonic_ms: z.number(),
  cpu_us: count,
  cpu_user_us: count,
  cpu_system_us: count,
  cpu_periods: count,
  cpu_throttled_periods: count,
  cpu_throttled_us: count,
  /** Hundred is a whole core. */
  cpu_limit_percent: count,
  memory_bytes: count,
  memory_working_set_bytes: count,
  memory_anon_bytes: count,
  memory_file_bytes: count,
  memory_peak_bytes: count,
  memory_limit_bytes: count,
  swap_bytes: count,
  io_read_bytes: count,
  io_write_bytes: count,
  io_reads: count,
  io_writes: count,
  pids: count,
  cpu_pressure: pressure,
  memory_pressure: pressure,
  io_pressure: pressure,
});

export const sampleField = z.enum(SAMPLE_FIELDS, `expected one of ${SAMPLE_FIELDS.join(', ')}`);

const points = z.readonly(z.array(count));

/** What a service used over time. The point `n` is about the `step_ms` from `from_ms + n * step_ms` on. */
export const usageHistory = z.object({
  application: z.string(),
  from_ms: z.number(),
  step_ms: z.number(),
  /** Mean and greatest of each point; null where nothing of it ran, or nobody counted it. */
  series: z.readonly(z.array(z.object({ field: sampleField, mean: points, max: points }))),
});

export type UsageHistoryRow = z.output<typeof usageHistory>;
export type UsageRow = z.output<typeof usageRow>;
