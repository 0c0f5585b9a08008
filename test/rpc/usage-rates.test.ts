import { expect, it } from 'vitest';
import { usageRates } from '../../src/rpc/usage-rates.ts';
import type { UsageRow } from '../../src/rpc/usage-rows.ts';

const row = (changes: Partial<UsageRow> = {}): UsageRow => ({
  application: 'web',
  run: 3,
  at_monotonic_ms: 1_000,
  cpu_us: 500_000,
  cpu_user_us: 0,
  cpu_system_us: 0,
  cpu_periods: 10,
  cpu_throttled_periods: 5,
  cpu_throttled_us: 0,
  cpu_limit_percent: null,
  memory_bytes: null,
  memory_working_set_bytes: null,
  memory_anon_bytes: null,
  memory_file_bytes: null,
  memory_peak_bytes: null,
  memory_limit_bytes: null,
  swap_bytes: null,
  io_read_bytes: 0,
  io_write_bytes: null,
  io_reads: 7,
  io_writes: null,
  pids: null,
  cpu_pressure: null,
  memory_pressure: null,
  io_pressure: null,
  ...changes,
});

const UNKNOWN = {
  cpu_percent: null,
  throttled_percent: null,
  io_read_bytes_per_s: null,
  io_write_bytes_per_s: null,
  io_reads_per_s: null,
  io_writes_per_s: null,
};

it('tells what was used in the time between', () => {
  const after = row({
    at_monotonic_ms: 3_000,
    cpu_us: 3_500_000,
    cpu_periods: 30,
    cpu_throttled_periods: 10,
    io_read_bytes: 4_096,
  });
  expect(usageRates(row(), after)).toEqual({
    cpu_percent: 150,
    throttled_percent: 25,
    io_read_bytes_per_s: 2_048,
    io_write_bytes_per_s: null,
    io_reads_per_s: 0,
    io_writes_per_s: null,
  });
});

it('is throttled in no part of the time when there was nothing to run', () => {
  expect(usageRates(row(), row({ at_monotonic_ms: 2_000 })).throttled_percent).toBe(0);
});

it.each([
  ['the first reading', undefined, row({ at_monotonic_ms: 2_000 })],
  ['another run', row({ run: 2 }), row({ at_monotonic_ms: 2_000 })],
  ['no time between', row(), row()],
])('knows nothing from %s', (_what, before, after) => {
  expect(usageRates(before, after)).toEqual(UNKNOWN);
});

it('takes a count that went back for one of something else', () => {
  expect(usageRates(row(), row({ at_monotonic_ms: 2_000, cpu_us: 1 })).cpu_percent).toBeNull();
});
