import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineDecoder } from '../../src/lib/line-decoder.ts';

test('lines are the same however the bytes are cut, also within a character', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text));
  const cuts = fc.array(fc.nat({ max: 400 }));
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), cuts, (lines, end, at) => {
      const bytes = Buffer.from(lines.map((text) => text + end).join(''));
      const edges = [0, ...at.filter((cut) => cut < bytes.length), bytes.length].sort(
        (a, b) => a - b,
      );
      const decoder = new LineDecoder(10_000);
      const decoded = edges.flatMap((edge, index) =>
        decoder.push(bytes.subarray(edges[index - 1] ?? 0, edge)).lines.map(String),
      );
      expect(decoded).toEqual(lines);
    }),
  );
});

test('a line as long as the limit passes, one byte more does not', () => {
  const decoder = new LineDecoder(4);
  expect(decoder.push(Buffer.from('abcd\n'))).toEqual({
    lines: [Buffer.from('abcd')],
    tooLong: false,
  });
  expect(decoder.push(Buffer.from('ab'))).toEqual({ lines: [], tooLong: false });
  expect(decoder.push(Buffer.from('cde'))).toEqual({ lines: [], tooLong: true });
});

test('lines before one that is too long are decoded, those after it are not', () => {
  const decoder = new LineDecoder(4);
  const { lines, tooLong } = decoder.push(Buffer.from('a\nb\ntoo long\nc\n'));
  expect([lines.map(String), tooLong]).toEqual([['a', 'b'], true]);
  expect(decoder.push(Buffer.from('d\n'))).toEqual({ lines: [], tooLong: true });
});
