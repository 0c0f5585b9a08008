import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readServiceText } from '../../src/sources/service-file.ts';
import { excessOfBytes, excessOfText, MAX_FILE_BYTES } from '../../src/sources/yaml-limits.ts';
import { hostileTexts } from '../builders/hostile-texts.ts';

/** Of seconds without limits; a tenth of it is usual. */
const BOUND_MS = 500;

/** In CPU time: what else the machine does is no matter of the parser's. */
const timed = (text: string) => {
  const before = process.cpuUsage();
  const definition = readServiceText('/srv/config.d/web.yaml', text);
  const { user, system } = process.cpuUsage(before);
  return { definition, tookMs: (user + system) / 1_000 };
};

describe('a text', () => {
  // As large as a file may be, and as many tokens as one may have, of one to three bytes each.
  const sizes = [MAX_FILE_BYTES - 200, 20_000, 12_000, 7_800];
  it.each(sizes)('of %i bytes that wants to keep the parser busy is done with soon', (size) => {
    for (const [name, text] of hostileTexts(size)) {
      const { definition, tookMs } = timed(text);
      expect(definition, name).toMatchObject({ kind: 'invalid', name: 'web' });
      expect(tookMs, name).toBeLessThan(BOUND_MS);
    }
  });

  it('of any pieces of YAML neither throws nor takes long', () => {
    const pieces = ['[', '{', ']', '}', ',', '- ', '? ', ': ', 'a', '&a ', '*a', '!a ', '"', "'"];
    const piece = fc.constantFrom(
      ...pieces,
      '\n',
      '  ',
      '\t',
      '|\n',
      '>\n',
      '#',
      '%',
      '---\n',
      '\\',
    );
    const block = fc.tuple(fc.array(piece, { minLength: 1, maxLength: 12 }), fc.nat(8_000));
    const text = fc
      .array(block, { minLength: 1, maxLength: 4 })
      .map((blocks) => blocks.map(([parts, times]) => parts.join('').repeat(times)).join(''));
    fc.assert(
      fc.property(text, (hostile) => {
        expect(timed(hostile).tookMs).toBeLessThan(BOUND_MS);
      }),
      { numRuns: 150 },
    );
  });

  it('of many words, signs and line ends is refused where they are too many', () => {
    const lines = (count: number) => 'a: b\n'.repeat(count);
    // Seven tokens a line, of which two are marks of the lexer.
    expect(excessOfText(lines(1_100))).toBeNull();
    expect(excessOfText(lines(1_200))).toEqual({
      line: 1_143,
      column: expect.any(Number),
      message: 'expected at most 8000 words, signs and line ends',
    });
  });

  it('of brackets in brackets is refused at the one too many', () => {
    const nested = (depth: number) => `a:\n  ${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(excessOfText(nested(64))).toBeNull();
    expect(excessOfText(nested(65))).toEqual({
      line: 2,
      column: 67,
      message: 'expected less nesting (at most 64 brackets)',
    });
    expect(excessOfText('[[]],'.repeat(100))).toBeNull();
  });

  it.each([
    ['a quoted string', `a: "${'['.repeat(100)}"`],
    ['a block of text', `a: |\n  ${'['.repeat(100)}\n${'  [\n'.repeat(100)}`],
    ['a comment', `a: 1 # ${'['.repeat(100)}`],
    ['a plain word', `a: x${'['.repeat(100)}`],
  ])('may have as many brackets as it likes in %s', (_, text) => {
    expect(excessOfText(text)).toBeNull();
  });
});

describe('bytes', () => {
  it.each([
    ['a NUL byte', Buffer.from('a: 1\nbé: \0'), 2, /NUL byte/],
    ['UTF-16', Buffer.from('a: 1', 'utf16le'), 1, /UTF-16/],
    ['no UTF-8', Buffer.from('a: 1\nb: \xff\n', 'latin1'), 2, /UTF-8/],
    ['half a character', Buffer.from('a: 1\nb: 2\nc: €').subarray(0, -1), 3, /UTF-8/],
    ['too many', Buffer.alloc(MAX_FILE_BYTES + 1, '#'), null, /128 KiB/],
  ])('with %s are refused, and said where', (_, bytes, line, message) => {
    const excess = excessOfBytes(bytes);
    expect(excess?.line).toBe(line);
    expect(excess?.message).toMatch(message);
  });

  it('that are text are none of it', () => {
    expect(excessOfBytes(Buffer.from('a: "é€😀"\n'))).toBeNull();
    expect(excessOfBytes(Buffer.alloc(MAX_FILE_BYTES, '#'))).toBeNull();
  });
});
