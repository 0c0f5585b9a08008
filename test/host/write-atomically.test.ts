import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeAtomically } from '../../src/host/write-atomically.ts';
import { errorOf, folderOf, scratchFolder } from './rig.ts';

const USER = 65534;

test('writes a new file as root with the given mode', () => {
  const path = join(scratchFolder(), 'file');
  writeAtomically(path, 'new', { mode: 0o664 });
  const made = statSync(path);
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect([made.uid, made.mode & 0o7777]).toEqual([0, 0o664]);
});

test('replaces a file as a whole and keeps its owner and mode', () => {
  const path = join(scratchFolder(), 'file');
  writeFileSync(path, 'old');
  chownSync(path, USER, USER);
  chmodSync(path, 0o604);
  const inode = statSync(path).ino;
  writeAtomically(path, 'new', { mode: 0o640 });
  const made = statSync(path);
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect([made.uid, made.gid, made.mode & 0o7777]).toEqual([USER, USER, 0o604]);
  expect(made.ino).not.toBe(inode);
});

test('writes through a link of root and leaves it in place', () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'real'), 'old');
  symlinkSync('real', join(folder, 'link'));
  writeAtomically(join(folder, 'link'), 'new', { mode: 0o640 });
  expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new');
  expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
});

test.each<[string, (path: string, outside: string) => void]>([
  ['a link', (path, outside) => symlinkSync(join(outside, 'file'), path)],
  ['a FIFO', (path) => void execFileSync('mkfifo', [path])],
  ['a folder', (path) => void mkdirSync(path)],
])('refuses to replace %s and leaves nothing behind', (_, put) => {
  const folder = scratchFolder();
  const home = folderOf(folder, 'home');
  chownSync(home, USER, USER);
  const outside = folderOf(folder, 'outside');
  put(join(home, 'file'), outside);
  const error = errorOf(() => writeAtomically(join(home, 'file'), 'new', { mode: 0o640 }));
  expect(error.code).toBe('unsafe_path');
  expect(readdirSync(home)).toEqual(['file']);
  expect(readdirSync(outside)).toEqual([]);
});

test('says when the folder is not there', () => {
  const path = join(scratchFolder(), 'missing/file');
  const error = errorOf(() => writeAtomically(path, 'new', { mode: 0o640 }));
  expect([error.code, error.errno]).toEqual(['io', 'ENOENT']);
});
