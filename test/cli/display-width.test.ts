import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/display-width.ts';

test.for([
  ['', 0],
  ['plain ascii', 11],
  ['naïve café', 10],
  ['e\u0301', 1],
  ['日本語', 6],
  ['한국어', 6],
  ['ｆｕｌｌ', 8],
  ['привет', 6],
  ['\u200bzero\u00ad', 4],
  ['✅ ❌', 5],
  ['🚀', 2],
  ['👍🏽', 2],
  ['👩\u200d👩\u200d👧', 2],
  ['🇩🇪', 2],
] as const)('%j takes %i columns', ([text, columns]) => {
  expect(displayWidth(text)).toBe(columns);
  expect(stringWidth(text)).toBe(columns);
});

test('letters of any script and wide blocks are counted as string-width counts them', () => {
  const blocks = [
    [0x20, 0x7e],
    [0xa1, 0xac],
    [0xae, 0x2ff],
    [0x370, 0x481],
    [0x3041, 0x3096],
    [0x30a1, 0x30fa],
    [0x4e00, 0x9fff],
    [0xac00, 0xd7a3],
    [0x1f600, 0x1f64f],
    [0x20000, 0x2a6df],
  ];
  const character = fc.oneof(
    ...blocks.map(([min = 0, max = 0]) =>
      fc.integer({ min, max }).map((code) => String.fromCodePoint(code)),
    ),
  );
  fc.assert(
    fc.property(fc.string({ unit: character }), (text) => {
      expect(displayWidth(text)).toBe(stringWidth(text));
    }),
  );
});
