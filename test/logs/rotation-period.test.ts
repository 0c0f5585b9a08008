import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { periodOf } from '../../src/logs/rotation-period.ts';
import type { RotationFrequency } from '../../src/model/service-spec.ts';

const before = process.env.TZ;

beforeAll(() => {
  process.env.TZ = 'Europe/Berlin';
});

afterAll(() => {
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

describe('the period that a moment lies in', () => {
  it.each<[RotationFrequency, string, string, string]>([
    ['minutely', '2026-03-05T10:20:30.5', '2026-03-05T10:20:00', '2026-03-05T10:21:00'],
    ['hourly', '2026-03-05T10:20:30', '2026-03-05T10:00:00', '2026-03-05T11:00:00'],
    ['hourly', '2026-03-05T10:00:00', '2026-03-05T10:00:00', '2026-03-05T11:00:00'],
    ['daily', '2026-12-31T23:59:59', '2026-12-31T00:00:00', '2027-01-01T00:00:00'],
    // Thursday, Monday, Sunday.
    ['weekly', '2026-03-05T10:20:30', '2026-03-02T00:00:00', '2026-03-09T00:00:00'],
    ['weekly', '2026-03-02T00:00:00', '2026-03-02T00:00:00', '2026-03-09T00:00:00'],
    ['weekly', '2026-03-08T23:00:00', '2026-03-02T00:00:00', '2026-03-09T00:00:00'],
    ['monthly', '2026-12-05T10:20:30', '2026-12-01T00:00:00', '2027-01-01T00:00:00'],
  ])('%s, at %s', (frequency, at, start, end) => {
    const period = periodOf(new Date(at).getTime(), frequency);
    expect(period).toEqual({ startMs: new Date(start).getTime(), endMs: new Date(end).getTime() });
  });

  it('is a day of 23 or 25 hours when the clocks change', () => {
    const hours = (day: string) => {
      const { startMs, endMs } = periodOf(new Date(`${day}T12:00:00`).getTime(), 'daily');
      return (endMs - startMs) / 3_600_000;
    };
    expect([hours('2026-03-29'), hours('2026-10-25'), hours('2026-03-30')]).toEqual([23, 25, 24]);
  });

  it('is an hour long also where the clock tells the same hour twice', () => {
    for (const utc of ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z']) {
      const atMs = Date.parse(utc);
      const { startMs, endMs } = periodOf(atMs, 'hourly');
      expect([atMs - startMs, endMs - startMs]).toEqual([1_800_000, 3_600_000]);
    }
  });

  it('has no end where nothing is rotated', () => {
    expect(periodOf(Date.now(), 'none').endMs).toBe(Number.POSITIVE_INFINITY);
  });
});
