import { describe, expect, it } from 'vitest';
import { jobBounds } from '../../src/model/job-bounds.ts';
import { job } from '../builders/specs.ts';

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

function bounds(notBefore: string | null, notAfter: string | null, timezone: string) {
  const { notBeforeMs, notAfterMs } = jobBounds(job({ notBefore, notAfter, timezone }));
  return [iso(notBeforeMs), iso(notAfterMs)];
}

describe('the bounds of a job', () => {
  it('are open where nothing is said', () => {
    expect(bounds(null, null, 'UTC')).toEqual([null, null]);
  });

  it('take a day for the whole day, in the zone of the job', () => {
    expect(bounds('2030-01-31', '2030-01-31', 'Europe/Berlin')).toEqual([
      '2030-01-30T23:00:00.000Z',
      '2030-01-31T22:59:59.999Z',
    ]);
  });

  it('know days of 23 and of 25 hours', () => {
    expect(bounds('2026-03-08', '2026-03-08', 'America/New_York')).toEqual([
      '2026-03-08T05:00:00.000Z',
      '2026-03-09T03:59:59.999Z',
    ]);
    expect(bounds('2026-11-01', '2026-11-01', 'America/New_York')).toEqual([
      '2026-11-01T04:00:00.000Z',
      '2026-11-02T04:59:59.999Z',
    ]);
  });

  it('take the first of two times, and one that is skipped as long after the gap', () => {
    expect(bounds('2026-11-01 01:30:00', '2026-03-08 02:30:00', 'America/New_York')).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-03-08T07:30:00.000Z',
    ]);
  });
});
