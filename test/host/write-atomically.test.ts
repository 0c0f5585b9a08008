import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Change, writeAtomically } from '../../src/host/write-atomically.ts';
import { errorOf, folderOf, NOBODY, scratchFolder, userFolder, victim } from './rig.ts';

const OPTIONS = { mode: 0o644, maxBytes: 1_000 };
const write = (path: string, change: Change) => writeAtomically(path, change, OPTIONS);
const anew = () => 'new';

describe('a file that is there', () => {
  test('is replaced as a whole and keeps owner, group and mode', () => {
    const path = join(scratchFolder(), 'file');
    writeFileSync(path, 'old');
    chownSync(path, NOBODY, 33);
    chmodSync(path, 0o640);
    const inode = statSync(path).ino;
    const before = process.umask(0o777);
    try {
      expect(write(path, (content) => `${content} and new`)).toBe(true);
    } finally {
      process.umask(before);
    }
    const made = statSync(path);
    expect(readFileSync(path, 'utf8')).toBe('old and new');
    expect([made.uid, made.gid, made.mode & 0o7777]).toEqual([NOBODY, 33, 0o640]);
    expect(made.ino).not.toBe(inode);
    expect(readdirSync(join(path, '..'))).toEqual(['file']);
  });

  test('is not touched when there is nothing to change', () => {
    const path = join(scratchFolder(), 'file');
    writeFileSync(path, 'old');
    const { ino, ctimeMs } = statSync(path);
    expect(write(path, () => null)).toBe(false);
    expect(statSync(path)).toMatchObject({ ino, ctimeMs });
  });

  test('is reached through a link of root, which stays', () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'real'), 'old');
    symlinkSync('real', join(folder, 'link'));
    expect(write(join(folder, 'link'), anew)).toBe(true);
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new');
    expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
  });

  test('is left alone when it is larger than allowed', () => {
    const path = join(scratchFolder(), 'file');
    writeFileSync(path, 'x'.repeat(1_001));
    expect(errorOf(() => write(path, anew)).message).toContain('larger than 1000 bytes');
    expect(statSync(path).size).toBe(1_001);
  });
});

describe('a file that is not there', () => {
  test("is made with the given mode, for its folder's owner", () => {
    const { home } = userFolder();
    const path = join(home, 'file');
    expect(write(path, (content) => (content === null ? 'new' : null))).toBe(true);
    const made = statSync(path);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect([made.uid, made.gid, made.mode & 0o7777, made.nlink]).toEqual([
      NOBODY,
      NOBODY,
      0o644,
      1,
    ]);
    expect(readdirSync(home)).toEqual(['file']);
  });

  test('is not made over one that appears meanwhile', () => {
    const path = join(scratchFolder(), 'file');
    const seen: (string | null)[] = [];
    const written = write(path, (content) => {
      seen.push(content === null ? null : String(content));
      if (content === null) writeFileSync(path, 'theirs');
      return content === null ? 'ours' : null;
    });
    expect([written, seen]).toEqual([false, [null, 'theirs']]);
    expect(readFileSync(path, 'utf8')).toBe('theirs');
  });

  test('says so when not even its folder is there', () => {
    const error = errorOf(() => write(join(scratchFolder(), 'missing/file'), anew));
    expect([error.code, error.errno]).toEqual(['io', 'ENOENT']);
  });
});

describe('somebody who writes at the same time', () => {
  const ways: readonly (readonly [string, (path: string) => void])[] = [
    ['appends', (path) => appendFileSync(path, 'theirs')],
    [
      'replaces it with as much, and sets its time back',
      (path) => {
        const { atime, mtime } = statSync(path);
        writeFileSync(`${path}.theirs`, 'their');
        utimesSync(`${path}.theirs`, atime, mtime);
        renameSync(`${path}.theirs`, path);
      },
    ],
    ['takes it away', (path) => unlinkSync(path)],
  ];

  test.each(ways)('and %s is heard: it is read again', (_, interfere) => {
    const folder = scratchFolder();
    const path = join(folder, 'file');
    writeFileSync(path, 'first');
    const seen: string[] = [];
    const written = write(path, (content) => {
      seen.push(String(content));
      if (seen.length === 1) interfere(path);
      return `${content}+ours`;
    });
    expect(written).toBe(true);
    expect(seen).toHaveLength(2);
    expect(seen[1]).not.toBe('first');
    expect(readFileSync(path, 'utf8')).toBe(`${seen[1]}+ours`);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('again and again is a conflict, and what they wrote stays', () => {
    const folder = scratchFolder();
    const path = join(folder, 'file');
    writeFileSync(path, 'first');
    const error = errorOf(() =>
      write(path, (content) => {
        appendFileSync(path, '+');
        return `${content} ours`;
      }),
    );
    expect(error.code).toBe('conflict');
    expect(error.message).toContain('try again');
    expect(readFileSync(path, 'utf8')).toBe('first++');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('an attack', () => {
  test.each<[string, (path: string, outside: string) => void]>([
    ['a link', (path, outside) => symlinkSync(join(outside, 'victim'), path)],
    [
      'a link that root made in their folder',
      (path, outside) => {
        symlinkSync(join(outside, 'victim'), path);
        lchownSync(path, 0, 0);
      },
    ],
    ['a dangling link', (path, outside) => symlinkSync(join(outside, 'fresh'), path)],
    ['another name of a file', (path, outside) => linkSync(join(outside, 'victim'), path)],
    ['a FIFO', (path) => void execFileSync('mkfifo', [path])],
    ['a folder', (path) => void mkdirSync(path)],
  ])('with %s is refused and leaves nothing behind', (_, put) => {
    const { home, outside } = userFolder();
    const precious = victim(outside);
    put(join(home, 'file'), outside);
    const { ctimeMs } = statSync(precious);
    const error = errorOf(() => write(join(home, 'file'), anew));
    expect(error.code).toBe('unsafe_path');
    expect(readdirSync(home)).toEqual(['file']);
    expect(readdirSync(outside)).toEqual(['victim']);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    // Neither owner nor mode nor names of it were changed, not even back again.
    expect(statSync(precious).ctimeMs).toBe(ctimeMs);
  });

  test('with a folder on the way that is a link is refused', () => {
    const { home, outside } = userFolder();
    writeFileSync(join(outside, 'file'), 'precious');
    symlinkSync(outside, join(home, 'sub'));
    lchownSync(join(home, 'sub'), NOBODY, NOBODY);
    expect(errorOf(() => write(join(home, 'sub/file'), anew)).code).toBe('unsafe_path');
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('precious');
  });

  test('that makes it a link after it was read writes nothing through it', () => {
    const { home, outside } = userFolder();
    const precious = victim(outside);
    const path = join(home, 'file');
    writeFileSync(path, 'old');
    chownSync(path, NOBODY, NOBODY);
    const error = errorOf(() =>
      write(path, () => {
        rmSync(path);
        symlinkSync(precious, path);
        lchownSync(path, NOBODY, NOBODY);
        return 'new';
      }),
    );
    expect(error.code).toBe('unsafe_path');
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(statSync(precious).uid).toBe(0);
    expect(readdirSync(home)).toEqual(['file']);
  });

  test('that swaps the folder after it was entered changes the folder that was entered', () => {
    const root = scratchFolder();
    const home = folderOf(root, 'home');
    const inner = folderOf(home, 'conf.d');
    for (const folder of [home, inner]) chownSync(folder, NOBODY, NOBODY);
    const outside = folderOf(root, 'outside');
    writeFileSync(join(outside, 'file'), 'precious');
    writeFileSync(join(inner, 'file'), 'old');
    write(join(inner, 'file'), () => {
      renameSync(inner, join(home, 'moved'));
      symlinkSync(outside, inner);
      return 'new';
    });
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('precious');
    expect(readFileSync(join(home, 'moved/file'), 'utf8')).toBe('new');
    expect(readdirSync(outside)).toEqual(['file']);
  });
});

test('a full disk leaves the old file and nothing else', () => {
  const folder = scratchFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', [folder]));
  const path = join(folder, 'file');
  writeFileSync(path, 'old');
  const error = errorOf(() => write(path, () => 'x'.repeat(100_000)));
  expect(error.errno).toBe('ENOSPC');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['file']);
});
