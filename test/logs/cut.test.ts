import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutBeforeRotation, type Fill } from '../../src/logs/cut.ts';

const MIB = 1024 * 1024;

describe('where a file is rotated', () => {
  it.each<[string, string, Partial<Fill>, number | null]>([
    ['nowhere, as long as everything fits', 'a\nb\n', { bytes: 6 }, null],
    ['after the last line that fits', 'aa\nbb\ncc\n', { bytes: 3 }, 6],
    ['before what does not fit at all', 'aaaaaaaaaaaa\n', { bytes: 3 }, 0],
    ['never while it is empty: a line too long is whole', 'aaaaaaaaaaaaaaa\n', {}, null],
    ['after the end of a line that is too long', 'aaaaaaaaaaaaaaa\nb\n', {}, 16],
    ['not in the middle of a line', 'aaa', { bytes: 9, isMidLine: true }, null],
    ['at the end of a line that was begun in it', 'aa\nbb', { bytes: 9, isMidLine: true }, 3],
    ['at once, when its time is over', 'a\n', { bytes: 5, limitBytes: 5 }, 0],
    ['in a line that has no end', 'a', { bytes: 10 + MIB, isMidLine: true }, 0],
    [
      'in a line that has no end, once it is so long',
      'abc',
      { bytes: 8 + MIB, isMidLine: true },
      2,
    ],
  ])('%s', (_title, text, fill, cut) => {
    const whole = { bytes: 0, limitBytes: 10, isMidLine: false, ...fill };
    expect(cutBeforeRotation(Buffer.from(text), whole)).toBe(cut);
  });

  it('leaves something to be written after each cut, and gets on', () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 });
    const limit = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), limit, (chunks, limitBytes) => {
        let file = { bytes: 0, isMidLine: false };
        for (const each of chunks) {
          let rest = Buffer.from(each);
          for (let cuts = 0; rest.length > 0; cuts += 1) {
            expect(cuts).toBeLessThanOrEqual(2 * each.length);
            const cut = cutBeforeRotation(rest, { ...file, limitBytes });
            const taken = rest.subarray(0, cut ?? rest.length);
            const isMidLine = taken.length > 0 ? taken.at(-1) !== 0x0a : file.isMidLine;
            file = { bytes: file.bytes + taken.length, isMidLine };
            if (cut !== null) {
              expect(cut).toBeLessThan(rest.length);
              expect([file.bytes > 0, file.isMidLine]).toEqual([true, false]);
              file = { bytes: 0, isMidLine: false };
            }
            rest = rest.subarray(taken.length);
          }
        }
      }),
    );
  });
});
