import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shiftFor } from '../../src/logs/backup-numbers.ts';

const NONE: ReadonlySet<number> = new Set();

describe('the numbers of backups', () => {
  it.each<[string, number[], number[], number, ReturnType<typeof shiftFor>]>([
    ['begin at 1', [], [], 3, { remove: [], moves: [], newest: 1 }],
    [
      'move up, the oldest first',
      [1, 2],
      [],
      3,
      {
        remove: [],
        moves: [
          { from: 2, to: 3 },
          { from: 1, to: 2 },
        ],
        newest: 1,
      },
    ],
    [
      'lose the oldest when there are enough',
      [1, 2, 3],
      [],
      3,
      {
        remove: [3],
        moves: [
          { from: 2, to: 3 },
          { from: 1, to: 2 },
        ],
        newest: 1,
      },
    ],
    [
      'lose more when fewer are to be kept',
      [1, 2, 3, 4],
      [],
      2,
      { remove: [4, 3, 2], moves: [{ from: 1, to: 2 }], newest: 1 },
    ],
    ['all go where none is kept', [1, 2], [], 0, { remove: [2, 1], moves: [], newest: null }],
    [
      'move up to the gap that a crash left, and no further',
      [1, 3, 4],
      [],
      9,
      { remove: [], moves: [{ from: 1, to: 2 }], newest: 1 },
    ],
    ['need no move where 1 is free', [2, 3], [], 9, { remove: [], moves: [], newest: 1 }],
    [
      'go around what is not ours',
      [2, 4],
      [1, 3],
      9,
      {
        remove: [],
        moves: [
          { from: 4, to: 5 },
          { from: 2, to: 4 },
        ],
        newest: 2,
      },
    ],
  ])('%s', (_title, backups, taken, keep, shift) => {
    expect(shiftFor(backups, new Set(taken), keep)).toEqual(shift);
  });

  it('keep every backup and their order, wherever a crash ends the shift', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 8 });
    fc.assert(
      fc.property(numbers, numbers, fc.nat(40), (all, strangers, stop) => {
        const backups = all.filter((n) => !strangers.includes(n)).toSorted((a, b) => a - b);
        // By number, what is in it: the higher number held the older one.
        const content = new Map(backups.map((number) => [number, number]));
        const { moves } = shiftFor(backups, new Set(strangers), 1_000);
        for (const { from, to } of moves.slice(0, stop)) {
          expect(content.has(to) || strangers.includes(to)).toBe(false);
          content.set(to, content.get(from) ?? -1);
          content.delete(from);
        }
        const left = [...content].toSorted(([a], [b]) => a - b).map(([, was]) => was);
        expect(left).toEqual(backups);
      }),
    );
  });

  it('never exceed what is kept', () => {
    const backups = fc.uniqueArray(fc.integer({ min: 1, max: 30 }));
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 12 }), (all, keep) => {
        const sorted = all.toSorted((a, b) => a - b);
        const { remove } = shiftFor(sorted, NONE, keep);
        expect(sorted.length - remove.length + 1).toBeLessThanOrEqual(Math.max(keep, 1));
        // The oldest go.
        expect(remove.toReversed()).toEqual(sorted.slice(sorted.length - remove.length));
      }),
    );
  });
});
