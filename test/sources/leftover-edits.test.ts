import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeLeftoverEdits } from '../../src/sources/leftover-edits.ts';
import { scratchFolder } from '../host/rig.ts';

const LEFT = '.processmaster-0123456789abcdef.tmp';

test('removes what an interrupted edit left, and nothing else', () => {
  const folder = scratchFolder();
  const kept = ['web.yaml', '.processmaster-notes.tmp', `x${LEFT}`].map((name) =>
    join(folder, name),
  );
  const child = join(folder, 'box');
  mkdirSync(child);
  for (const path of [...kept, join(folder, LEFT), join(child, LEFT)]) writeFileSync(path, '');

  removeLeftoverEdits(folder, 0);
  expect(existsSync(join(folder, LEFT))).toBe(false);
  expect(existsSync(join(child, LEFT))).toBe(true);
  removeLeftoverEdits(folder, 1);
  expect(existsSync(join(child, LEFT))).toBe(false);
  expect(kept.filter((path) => existsSync(path))).toEqual(kept);
});

test('follows no link, and minds no folder that is not there', () => {
  const folder = scratchFolder();
  const elsewhere = scratchFolder();
  writeFileSync(join(elsewhere, LEFT), '');
  symlinkSync(elsewhere, join(folder, 'link'));
  removeLeftoverEdits(folder, 1);
  removeLeftoverEdits(join(folder, 'nothing'), 1);
  expect(existsSync(join(elsewhere, LEFT))).toBe(true);
});
