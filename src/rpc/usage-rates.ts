import type { UsageRow } from './usage-rows.ts';

/** What a service used between two readings; `null` where that is not known. */
export interface UsageRates {
  /** 100 is a whole core. */
  readonly cpu_percent: number | null;
  /** Of the periods in which it had something to run, those in which its limit cut it short. */
  readonly throttled_percent: number | null;
  readonly io_read_bytes_per_s: number | null;
  readonly io_write_bytes_per_s: number | null;
  readonly io_reads_per_s: number | null;
  readonly io_writes_per_s: number | null;
}

const UNKNOWN: UsageRates = {
  cpu_percent: null,
  throttled_percent: null,
  io_read_bytes_per_s: null,
  io_write_bytes_per_s: null,
  io_reads_per_s: null,
  io_writes_per_s: null,
};

/** The counts of two runs have nothing to do with each other. Pure. */
export function usageRates(before: UsageRow | undefined, after: UsageRow): UsageRates {
  const spanMs = after.at_monotonic_ms - (before?.at_monotonic_ms ?? Number.POSITIVE_INFINITY);
  if (before === undefined || before.run !== after.run || spanMs <= 0) return UNKNOWN;
  const perSecond = (from: number | null, to: number | null) => {
    const grown = difference(from, to);
    return grown === null ? null : (grown * 1_000) / spanMs;
  };
  const cpuUsPerSecond = perSecond(before.cpu_us, after.cpu_us);
  return {
    cpu_percent: cpuUsPerSecond === null ? null : cpuUsPerSecond / 10_000,
    throttled_percent: share(
      difference(before.cpu_throttled_periods, after.cpu_throttled_periods),
      difference(before.cpu_periods, after.cpu_periods),
    ),
    io_read_bytes_per_s: perSecond(before.io_read_bytes, after.io_read_bytes),
    io_write_bytes_per_s: perSecond(before.io_write_bytes, after.io_write_bytes),
    io_reads_per_s: perSecond(before.io_reads, after.io_reads),
    io_writes_per_s: perSecond(before.io_writes, after.io_writes),
  };
}

/** A count that went back is of something else. */
function difference(from: number | null, to: number | null): number | null {
  return from === null || to === null || to < from ? null : to - from;
}

function share(part: number | null, whole: number | null): number | null {
  if (part === null || whole === null) return null;
  return whole === 0 ? 0 : (part * 100) / whole;
}
