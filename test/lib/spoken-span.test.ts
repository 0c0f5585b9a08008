import { expect, test } from 'vitest';
import { spokenSpan } from '../../src/lib/spoken-span.ts';

test.for([
  [-5, '0 ms'],
  [0, '0 ms'],
  [49.6, '50 ms'],
  [200, '0.2 s'],
  [3_149, '3.1 s'],
  [10_000, '10 s'],
  [59_999, '59 s'],
  [60_000, '1 m'],
  [192_400, '3 m 12 s'],
  [7_200_000, '2 h'],
  [7_205_000, '2 h'],
  [274_000_000, '3 d 4 h'],
] as const)('%f ms are %s', ([ms, words]) => {
  expect(spokenSpan(ms)).toBe(words);
});
