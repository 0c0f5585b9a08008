import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endOf, readOn } from '../../src/logs/read-on.ts';
import type { LogPosition } from '../../src/model/log-position.ts';

const START: LogPosition = { inode: null, offset: 0 };

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'read-on-'));
  path = join(directory, 'log');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** As the keeper does it: the oldest first. */
function rotate(): void {
  for (const number of [2, 1]) {
    const from = `${path}.${number}`;
    if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${path}.${number + 1}`);
  }
  renameSync(path, `${path}.1`);
}

/** All that is there after a position, in pieces. */
function readAll(from: LogPosition): { text: string; isGap: boolean } {
  let position = from;
  let text = '';
  let isGap = false;
  for (;;) {
    const piece = readOn(path, position, true);
    isGap ||= piece.isGap;
    if (piece.text === '') return { text, isGap };
    text += piece.text;
    position = piece.position;
  }
}

test('reads on in whole lines, and the rest at the end', () => {
  expect(readOn(path, START, false)).toEqual({ text: '', position: START, isGap: false });
  writeFileSync(path, 'before\n');
  const position = endOf(path);
  appendFileSync(path, 'one\ntw');
  const first = readOn(path, position, false);
  expect(first.text).toBe('one\n');
  appendFileSync(path, 'ö');
  expect(readOn(path, first.position, false).text).toBe('');
  const last = readOn(path, first.position, true);
  expect([last.text, last.position.offset]).toEqual(['twö', position.offset + 8]);
});

test('reads much in pieces that begin where the last one ended', () => {
  const all = Array.from({ length: 40_000 }, (_, n) => `line ${n} ü\n`).join('');
  writeFileSync(path, all);
  expect(readAll(START)).toEqual({ text: all, isGap: false });
});

test('a line without an end is not waited for for ever', () => {
  writeFileSync(path, 'x'.repeat(200_000));
  expect(readOn(path, START, false).text.length).toBe(65_536);
});

test('files that were put aside are read to their end, one after the other', () => {
  writeFileSync(path, 'seen\n');
  const position = endOf(path);
  for (const part of ['one\n', 'two\n', 'three\n']) {
    appendFileSync(path, part);
    rotate();
  }
  expect(readAll(position)).toEqual({ text: 'one\ntwo\nthree\n', isGap: false });
  writeFileSync(path, 'four\n');
  expect(readAll(position)).toEqual({ text: 'one\ntwo\nthree\nfour\n', isGap: false });
});

test('a log that was not there is read from its first line on, however often it was put aside', () => {
  const position = endOf(path);
  for (const part of ['one\n', 'two\n']) {
    writeFileSync(path, part);
    rotate();
  }
  expect(readAll(position)).toEqual({ text: 'one\ntwo\n', isGap: false });
  const now = endOf(path);
  writeFileSync(path, 'three\n');
  expect(readAll(now)).toEqual({ text: 'three\n', isGap: false });
});

test('what is compressed by now is told as a gap, and the log is read from its newest file on', () => {
  writeFileSync(path, 'seen\n');
  const position = endOf(path);
  appendFileSync(path, 'unseen\n');
  rotate();
  renameSync(`${path}.1`, `${path}.away`);
  writeFileSync(`${path}.1.gz`, '');
  expect(readAll(position)).toEqual({ text: '', isGap: false });
  writeFileSync(path, 'new\n');
  expect(readAll(position)).toEqual({ text: 'new\n', isGap: true });
});

test('a file that was truncated is read from its beginning', () => {
  writeFileSync(path, 'a long line of before\n');
  const position = endOf(path);
  truncateSync(path);
  appendFileSync(path, 'new\n');
  expect(readAll(position)).toEqual({ text: 'new\n', isGap: false });
});

test('what is no regular file is not read', () => {
  symlinkSync('/dev/zero', path);
  expect(() => readOn(path, START, true)).toThrow();
});
