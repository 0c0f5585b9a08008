import { expect, test } from 'vitest';
import { killDueMonotonicMs } from '../../src/model/stop-timing.ts';
import { at, stopProgress } from '../builders/situations.ts';

test.for([
  [
    'the grace begins when the processes were asked',
    { askedAtMonotonicMs: at(12_000).monotonicMs },
    14_000,
  ],
  ['or when the stop was requested, until they are', { askedAtMonotonicMs: null }, 12_000],
  ['after a kill it is killed again', { killedAtMonotonicMs: at(20_000).monotonicMs }, 25_000],
] as const)('%s', ([, changes, dueMs]) => {
  expect(killDueMonotonicMs(stopProgress(changes), 2_000)).toBe(at(dueMs).monotonicMs);
});
