import { expect, test } from 'vitest';
import { readSinceMs, readTtlMs } from '../../src/cli/option-values.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 12);

test.for([
  [undefined, null],
  ['10m', NOW_MS - 600_000],
  ['0s', NOW_MS],
  ['99999999d', 0],
  ['2026-01-15T11:00:00Z', NOW_MS - 3_600_000],
  ['2026-01-15T12:00:00.5+01:00', NOW_MS - 3_599_500],
  ['2026-01-15 11:30Z', NOW_MS - 1_800_000],
  ['2026-01-15 11:30', new Date(2026, 0, 15, 11, 30).getTime()],
] as const)('--since %s begins at %j', ([text, atMs]) => {
  expect(readSinceMs('events', text, NOW_MS)).toBe(atMs);
});

test.for(['', 'yesterday', '10', '-1m', '2026-01-15', '2026-13-45T99:00Z', '1960-01-01T00:00Z'])(
  '--since %j is refused with what is expected',
  (text) => {
    expect(() => readSinceMs('events', text, NOW_MS)).toThrow(
      `cannot use '--since ${text}': expected a duration such as 1500ms, 30s, 10m, 2h, 1d or 1h30m, or a time such as 2026-01-31T12:00:00Z`,
    );
  },
);

test.for([
  [undefined, null],
  ['2h', 7_200_000],
  ['3650d', 315_360_000_000],
] as const)('--ttl %s holds for %j ms', ([text, ms]) => {
  expect(readTtlMs('flag', text)).toBe(ms);
});

test.for(['', '0s', '3651d', 'forever', '5'])('--ttl %j is refused', (text) => {
  expect(() => readTtlMs('flag', text)).toThrow(`cannot use '--ttl ${text}': expected a`);
});
