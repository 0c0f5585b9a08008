import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findLastLines, findTime } from '../../src/log-reader/find-start.ts';
import { BEGINNING, type LogPosition } from '../../src/log-reader/log-position.ts';
import { OpenSegments } from '../../src/log-reader/open-segments.ts';
import { readLog } from '../../src/log-reader/read-log.ts';

let directory: string;
let path: string;
let kept: OpenSegments;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'read-log-'));
  path = join(directory, 'log');
  kept = new OpenSegments();
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const read = (position: LogPosition, toTheEnd = false, untilMs: number | null = null) =>
  readLog(kept, path, position, { toTheEnd, untilMs });

async function readAll(from: LogPosition): Promise<string> {
  let [text, position] = ['', from];
  for (;;) {
    const piece = await read(position, true);
    text += piece.text;
    position = piece.position;
    if (piece.at_end) return text;
  }
}

/** Puts the live file aside, as the keeper does. */
function rotate(): void {
  for (let number = 9; number >= 1; number -= 1) {
    for (const end of ['', '.gz']) {
      const from = `${path}.${number}${end}`;
      if (existsSync(from)) renameSync(from, `${path}.${number + 1}${end}`);
    }
  }
  renameSync(path, `${path}.1`);
}

function compress(number: number, atSeconds: number): void {
  const plain = `${path}.${number}`;
  writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)));
  unlinkSync(plain);
  utimesSync(`${plain}.gz`, atSeconds, atSeconds);
}

function write(file: string, text: string, atSeconds: number): void {
  writeFileSync(file, text);
  utimesSync(file, atSeconds, atSeconds);
}

test('reads on in whole lines, and the rest at the end', async () => {
  const nothing = await read(BEGINNING);
  expect(nothing).toMatchObject({ text: '', position: BEGINNING, at_end: true });
  writeFileSync(path, 'before\n');
  const position = await findLastLines(path, 0);
  appendFileSync(path, 'one\ntwö');
  const first = await read(position);
  expect(first).toMatchObject({ text: 'one\n', gap: false });
  expect((await read(first.position)).text).toBe('');
  expect((await read(first.position, true)).text).toBe('twö');
});

test('goes on over a rotation, in what is left of the old file first', async () => {
  writeFileSync(path, 'one\n');
  const { position } = await read(BEGINNING);
  appendFileSync(path, 'two\n');
  rotate();
  expect((await read(position)).text).toBe('two\n');
  writeFileSync(path, 'three\n');
  rotate();
  writeFileSync(path, 'four\n');
  expect(await readAll(position)).toBe('two\nthree\nfour\n');
});

test('goes on in the compressed file, also where all lines are the same', async () => {
  write(path, 'tick\n'.repeat(3), 1_000);
  rotate();
  compress(1, 1_000);
  write(path, 'tick\n'.repeat(2), 2_000);
  const position = await findLastLines(path, 0);
  write(path, 'tick\n'.repeat(4), 3_000);
  rotate();
  compress(1, 3_000);
  write(path, 'tick\n', 4_000);
  rotate();
  write(path, 'last\n', 5_000);
  expect(await readAll(position)).toBe('tick\ntick\ntick\nlast\n');
});

test('an emptied, a replaced and a removed file are read from their beginning, and it is told', async () => {
  writeFileSync(path, 'long enough\n');
  const { position } = await read(BEGINNING);
  truncateSync(path);
  writeFileSync(path, 'new\n');
  expect(await read(position)).toMatchObject({ text: 'new\n', gap: true });
  // Longer than before, so only its beginning tells.
  writeFileSync(path, 'quite another file\n');
  expect(await read(position)).toMatchObject({ text: 'quite another file\n', gap: true });
  unlinkSync(path);
  expect(await read(position)).toMatchObject({ text: '', gap: false, at_end: true });
  writeFileSync(path, 'again\n');
  expect(await read(position)).toMatchObject({ text: 'again\n', gap: true });
});

test('the last lines are found over backups, compressed or not', async () => {
  write(`${path}.2`, 'one\ntwo\nthree\n', 1_000);
  compress(2, 1_000);
  write(`${path}.1`, 'four\nfive\n', 2_000);
  writeFileSync(path, 'six\nse');
  const last = async (lines: number) => readAll(await findLastLines(path, lines));
  expect(await last(0)).toBe('');
  expect(await last(1)).toBe('se');
  expect(await last(2)).toBe('six\nse');
  expect(await last(3)).toBe('five\nsix\nse');
  expect(await last(5)).toBe('three\nfour\nfive\nsix\nse');
  expect(await last(6)).toBe('two\nthree\nfour\nfive\nsix\nse');
  expect(await last(50)).toBe('one\ntwo\nthree\nfour\nfive\nsix\nse');
});

test('a time is found by halving, and in no file that is older', async () => {
  const stamp = (ms: number) => new Date(ms).toISOString();
  write(`${path}.2.gz`, 'no gzip at all: reading it would fail', 1_000);
  write(`${path}.1`, 'unstamped\n', 2_000);
  const lines = Array.from({ length: 100_000 }, (_, at) => `${stamp(3_000_000 + at)} line ${at}\n`);
  writeFileSync(path, lines.join(''));
  const position = await findTime(path, 3_099_000);
  expect(position.offset).toBeGreaterThan(3_000_000);
  const text = await readAll(position);
  expect(text).toContain(' line 99000\n');
  expect(text.slice(0, 24) <= stamp(3_099_000)).toBe(true);
  expect(await readAll(await findTime(path, 1_500_000))).toBe(`unstamped\n${lines.join('')}`);
  const until = await read(await findTime(path, 1_500_000), false, 1_600_000);
  expect(until).toMatchObject({ text: 'unstamped\n' });
  expect(await read(until.position, false, 1_600_000)).toMatchObject({ text: '', at_end: true });
});

test('what is larger than a piece is read in several, compressed in order, too', async () => {
  const text = Array.from({ length: 200_000 }, (_, at) => `line ${at}\n`).join('');
  write(`${path}.1`, text, 1_000);
  compress(1, 1_000);
  writeFileSync(path, `${'x'.repeat(600_000)}\nend\n`);
  const all = await readAll(BEGINNING);
  expect(all.length).toBe(text.length + 600_005);
  expect(all.startsWith(text)).toBe(true);
  expect((await read(BEGINNING)).text.length).toBeLessThanOrEqual(262_144);
});

test('a link that is not ours is not followed', async () => {
  writeFileSync(join(directory, 'secret'), 'secret\n');
  symlinkSync(join(directory, 'secret'), `${path}.1`);
  writeFileSync(path, 'own\n');
  expect(await readAll(BEGINNING)).toBe('own\n');
});
