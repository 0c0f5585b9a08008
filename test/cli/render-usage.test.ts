import { expect, it } from 'vitest';
import { renderUsage, type UsageSample } from '../../src/cli/render-usage.ts';

const WIDE = { columns: 140, colours: false };

const sample: UsageSample = {
  application: 'web',
  run: 1,
  at_monotonic_ms: 1,
  cpu_us: 1,
  cpu_user_us: 1,
  cpu_system_us: 0,
  cpu_periods: 1,
  cpu_throttled_periods: 0,
  cpu_throttled_us: 0,
  cpu_limit_percent: 150,
  memory_bytes: 9_437_184,
  memory_working_set_bytes: 8_388_608,
  memory_anon_bytes: 1,
  memory_file_bytes: 1,
  memory_peak_bytes: 1,
  memory_limit_bytes: 67_108_864,
  swap_bytes: 0,
  io_read_bytes: 1,
  io_write_bytes: 1,
  io_reads: 1,
  io_writes: 1,
  pids: 3,
  cpu_pressure: { some_avg10: 12.34, full_avg10: 0, some_total_us: 1 },
  memory_pressure: { some_avg10: 0, full_avg10: 0, some_total_us: 1 },
  io_pressure: null,
  cpu_percent: 99.96,
  throttled_percent: 0,
  io_read_bytes_per_s: 0,
  io_write_bytes_per_s: 1_536.4,
  io_reads_per_s: 0,
  io_writes_per_s: 1,
};

it('has a line for each service', () => {
  expect(renderUsage([sample], WIDE)).toBe(
    `NAME     CPU  THROTTLED   MEMORY  WORKING SET     LIMIT  SWAP  READ/s  WRITE/s  PIDS  WAITED CPU MEM IO
web   100.0%       0.0%  9.0 MiB      8.0 MiB  64.0 MiB   0 B     0 B  1.5 KiB     3  12.3% 0.0% -
`,
  );
});

it('leaves blank what nobody counts here', () => {
  const blanks = Object.fromEntries(
    Object.keys(sample).map((key) => [key, null]),
  ) as unknown as UsageSample;
  const bare = { ...blanks, application: 'web', cpu_percent: 0 };
  expect(renderUsage([bare], WIDE).split('\n')[1]?.trimEnd()).toMatch(/^web +0\.0% +- - -$/);
});

it('says when nothing of what was asked for runs', () => {
  expect(renderUsage([], WIDE)).toBe('nothing of that runs\n');
});
