import { expect, test } from 'vitest';
import { jitterOffsetMs } from '../../src/model/job-jitter.ts';

const HOUR_MS = 3_600_000;

test('the jitter of a job on one host is always the same, and another on another host', () => {
  expect(jitterOffsetMs('a', 'job', HOUR_MS)).toBe(jitterOffsetMs('a', 'job', HOUR_MS));
  expect(jitterOffsetMs('a', 'job', HOUR_MS)).not.toBe(jitterOffsetMs('b', 'job', HOUR_MS));
  expect(jitterOffsetMs('a', 'job', 0)).toBe(0);
});

test('a thousand jobs are spread over the whole of it', () => {
  const offsets = Array.from({ length: 1_000 }, (_, n) => jitterOffsetMs('a', `job-${n}`, HOUR_MS));
  expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...offsets)).toBeLessThan(HOUR_MS);
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const inTenth = offsets.filter((ms) => Math.floor((ms / HOUR_MS) * 10) === tenth).length;
    expect(inTenth).toBeGreaterThan(50);
  }
});
