import { appendFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findLastLines } from '../../src/log-reader/find-start.ts';
import { BEGINNING, type LogPosition } from '../../src/log-reader/log-position.ts';
import { OpenSegments } from '../../src/log-reader/open-segments.ts';
import { readLogBefore } from '../../src/log-reader/read-back.ts';
import { readLog } from '../../src/log-reader/read-log.ts';

const OPTIONS = { untilMs: null, toTheEnd: true };

/** Has `act` use a log of its own, made of these files, oldest first; the last one is being written. */
async function withLog(
  files: readonly { readonly text: string; readonly isCompressed: boolean }[],
  act: (path: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'read-back-'));
  const path = join(folder, 'log');
  try {
    for (const [at, { text, isCompressed }] of files.entries()) {
      const number = files.length - 1 - at;
      const end = number === 0 ? '' : `.${number}${isCompressed ? '.gz' : ''}`;
      writeFileSync(`${path}${end}`, end.endsWith('.gz') ? gzipSync(text) : text);
      utimesSync(`${path}${end}`, 1_000 + at, 1_000 + at);
    }
    await act(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function allBefore(path: string, from: LogPosition) {
  const pieces: string[] = [];
  let position = from;
  for (;;) {
    const piece = await readLogBefore(path, position);
    if (piece.at_start) return { pieces, position };
    pieces.unshift(piece.text);
    position = piece.position;
  }
}

async function allAfter(path: string, from: LogPosition): Promise<string> {
  const kept = new OpenSegments();
  let [text, position] = ['', from];
  for (;;) {
    const piece = await readLog(kept, path, position, OPTIONS);
    text += piece.text;
    if (piece.at_end) return text;
    position = piece.position;
  }
}

const line = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 80 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 300_000 }).map((length) => 'x'.repeat(length)),
  },
);
const file = fc.record({
  text: fc
    .array(line, { minLength: 1, maxLength: 40 })
    .map((lines) => lines.map((text) => `${text.replaceAll('\n', ' ')}\n`).join('')),
  isCompressed: fc.boolean(),
});

test('back from the end, all is read once; and from each place there is before and after all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 4 }), async (files) => {
      await withLog(files, async (path) => {
        const text = files.map((one) => one.text).join('');
        const { pieces, position } = await allBefore(path, await findLastLines(path, 0));
        expect(pieces.join('')).toBe(text);
        expect(await allAfter(path, position)).toBe(text);
        // A place in the middle: as far as the first piece forwards goes.
        const { position: middle } = await readLog(new OpenSegments(), path, BEGINNING, OPTIONS);
        const before = (await allBefore(path, middle)).pieces.join('');
        expect(before + (await allAfter(path, middle))).toBe(text);
      });
    }),
    { numRuns: 60 },
  );
}, 120_000);

test('pieces are whole lines, but for lines that are longer than a piece', async () => {
  const lines = Array.from({ length: 60_000 }, (_, at) => `line ${at}\n`).join('');
  const long = `${'y'.repeat(600_000)}\n`;
  await withLog([{ text: lines + long, isCompressed: false }], async (path) => {
    appendFileSync(path, 'begun');
    const { pieces } = await allBefore(path, await findLastLines(path, 0));
    expect(pieces.at(-1)).toBe('begun');
    expect(pieces.at(-2)).toMatch(/^y+\n$/);
    expect(pieces.filter((piece) => piece.length > 262_144)).toEqual([]);
    const whole = pieces.filter((piece) => piece.includes('line'));
    expect(whole.filter((piece) => !piece.startsWith('line '))).toEqual([]);
  });
});

test('before the beginning there is nothing, and a file that is gone is told', async () => {
  await withLog([{ text: 'one\n', isCompressed: false }], async (path) => {
    expect(await readLogBefore(path, BEGINNING)).toMatchObject({ text: '', at_start: true });
    const end = await findLastLines(path, 0);
    writeFileSync(path, 'quite another one\n');
    expect(await readLogBefore(path, end)).toMatchObject({ gap: true, at_start: true });
  });
});
