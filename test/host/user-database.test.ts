import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { entriesOf } from '../../src/host/user-database.ts';
import { waitFor } from '../e2e/wait-for.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'user-database-'));
  path = join(folder, 'passwd');
});

afterEach(() => rmSync(folder, { recursive: true }));

function counted() {
  let parsed = 0;
  const entries = entriesOf(path, (line) => {
    parsed += 1;
    return [line];
  });
  return { entries, parsedLines: () => parsed };
}

test('a file that stays as it is, is parsed once', async () => {
  const { entries, parsedLines } = counted();
  writeFileSync(path, 'one');
  const isSettled = () => Date.now() - statSync(path).ctimeMs > 1_100;
  await waitFor(isSettled, { what: 'the file to be old enough' });
  expect([entries(), entries(), entries()]).toEqual([['one'], ['one'], ['one']]);
  expect(parsedLines()).toBe(1);
  // In place and of the same size.
  writeFileSync(path, 'two');
  expect(entries()).toEqual(['two']);
  writeFileSync(`${path}.new`, 'six');
  renameSync(`${path}.new`, path);
  expect(entries()).toEqual(['six']);
  rmSync(path);
  expect(entries()).toEqual([]);
});

test('a file that was changed just now is believed only for this once', () => {
  const { entries, parsedLines } = counted();
  writeFileSync(path, 'one');
  expect(entries()).toEqual(['one']);
  writeFileSync(path, 'two');
  expect(entries()).toEqual(['two']);
  expect(entries()).toEqual(['two']);
  expect(parsedLines()).toBe(3);
});
