import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endOf, readOn } from '../../src/logs/read-on.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'read-on-'));
  path = join(directory, 'log');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('reads on in whole lines, and the rest at the end', () => {
  expect(readOn(path, 0, false)).toEqual({ text: '', position: 0 });
  writeFileSync(path, 'before\n');
  const position = endOf(path);
  appendFileSync(path, 'one\ntw');
  const first = readOn(path, position, false);
  expect(first.text).toBe('one\n');
  appendFileSync(path, 'ö');
  expect(readOn(path, first.position, false).text).toBe('');
  expect(readOn(path, first.position, true)).toEqual({ text: 'twö', position: position + 8 });
});

test('reads much in pieces that begin where the last one ended', () => {
  const all = Array.from({ length: 40_000 }, (_, n) => `line ${n} ü\n`).join('');
  writeFileSync(path, all);
  let text = '';
  let position = 0;
  for (;;) {
    const piece = readOn(path, position, true);
    if (piece.text === '') break;
    text += piece.text;
    position = piece.position;
  }
  expect(text).toBe(all);
});

test('a line without an end is not waited for for ever', () => {
  writeFileSync(path, 'x'.repeat(200_000));
  expect(readOn(path, 0, false).text.length).toBe(65_536);
});

test('a file that is shorter than it was is read from its beginning', () => {
  writeFileSync(path, 'new\n');
  expect(readOn(path, 1_000, false)).toEqual({ text: 'new\n', position: 4 });
});

test('what is no regular file is not read', () => {
  symlinkSync('/dev/zero', path);
  expect(() => readOn(path, 0, true)).toThrow();
});
