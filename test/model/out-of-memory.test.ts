import { expect, it } from 'vitest';
import { describeExit } from '../../src/model/history.ts';
import { describeOutOfMemory } from '../../src/model/out-of-memory.ts';

const MIB = 1024 ** 2;

it.each([
  [
    { kills: 1, victims: ['hog (7)'], limitBytes: 64 * MIB, peakBytes: 64 * MIB },
    'out of memory (limit 64MiB, peak 64MiB; killed: hog (7))',
  ],
  [
    { kills: 3, victims: [], limitBytes: 10_000_000, peakBytes: 9_998_336 },
    'out of memory (limit 10m, peak 9.5MiB; killed: 3 processes)',
  ],
  [
    { kills: 1, victims: [], limitBytes: null, peakBytes: null },
    'out of memory (no limit of its own; killed: 1 process)',
  ],
])('%o is told as %s', (lost, told) => {
  expect(describeOutOfMemory(lost)).toBe(told);
  expect(describeExit({ kind: 'signaled', signal: 'SIGKILL', outOfMemory: lost })).toBe(
    `OOMKilled: ${told}`,
  );
});
