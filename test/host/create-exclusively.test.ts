import {
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createExclusively } from '../../src/host/create-exclusively.ts';
import { errorOf, NOBODY, scratchFolder, userFolder, victim } from './rig.ts';

describe('a file that is made as a whole', () => {
  test("is its folder owner's, has the mode whatever the umask, and one name", () => {
    const { home } = userFolder();
    const before = process.umask(0o777);
    try {
      expect(createExclusively(join(home, 'file'), 'new', 0o644)).toBe(true);
    } finally {
      process.umask(before);
    }
    const { uid, gid, mode, nlink } = statSync(join(home, 'file'));
    expect([uid, gid, mode & 0o7777, nlink]).toEqual([NOBODY, NOBODY, 0o644, 1]);
    expect(readFileSync(join(home, 'file'), 'utf8')).toBe('new');
    expect(readdirSync(home)).toEqual(['file']);
  });

  test('takes the place of nothing', () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'file'), 'theirs');
    expect(createExclusively(join(folder, 'file'), 'ours', 0o644)).toBe(false);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('is not written through a link, dangling or not', () => {
    const { home, outside } = userFolder();
    symlinkSync(victim(outside), join(home, 'link'));
    symlinkSync(join(outside, 'missing'), join(home, 'dangling'));
    expect(createExclusively(join(home, 'link'), 'ours', 0o644)).toBe(false);
    expect(createExclusively(join(home, 'dangling'), 'ours', 0o644)).toBe(false);
    expect(readlinkSync(join(home, 'dangling'))).toBe(join(outside, 'missing'));
    expect(readdirSync(outside)).toEqual(['victim']);
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('precious');
    expect(readdirSync(home).toSorted()).toEqual(['dangling', 'link']);
  });

  test('is not made in a folder that another than root put a link for', () => {
    const { home, outside } = userFolder();
    symlinkSync(outside, join(home, 'sub'));
    const error = errorOf(() => createExclusively(join(home, 'sub/file'), 'ours', 0o644));
    expect(error.code).toBe('unsafe_path');
    expect(readdirSync(outside)).toEqual([]);
  });
});
