import { expect, test } from 'vitest';
import { Mishaps } from '../../src/keeper/mishaps.ts';

const times = (count: number, stepMs: number) =>
  Array.from({ length: count }, (_, index) => index * stepMs);

test('a keeper with more than twenty defects within a minute is beyond help', () => {
  const mishaps = new Mishaps();
  const verdicts = times(21, 1_000).map((atMs) => mishaps.areTooMany(atMs));
  expect(verdicts).toEqual([...Array(20).fill(false), true]);
});

test('a keeper with a defect now and then lives on', () => {
  const mishaps = new Mishaps();
  const verdicts = times(100, 3_000).map((atMs) => mishaps.areTooMany(atMs));
  expect(verdicts).not.toContain(true);
});
