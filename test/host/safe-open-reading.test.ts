import { execFileSync } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openForRead, readBounded, readDirectory, statNoFollow } from '../../src/host/safe-open.ts';
import { errorOf, scratchFolder, userFolder, victim } from './rig.ts';

describe('reading', () => {
  test('gives the content of a regular file', () => {
    const path = join(scratchFolder(), 'file');
    writeFileSync(path, 'hello');
    expect(readBounded(path, 5).toString()).toBe('hello');
    const fd = openForRead(path);
    expect(readFileSync(fd, 'utf8')).toBe('hello');
    closeSync(fd);
  });

  test('refuses more than was asked for', () => {
    const path = join(scratchFolder(), 'file');
    writeFileSync(path, 'hello!');
    const error = errorOf(() => readBounded(path, 5));
    expect(error.code).toBe('io');
    expect(error.message).toContain('larger than 5 bytes');
  });

  test('is bounded where a file does not say its size', () => {
    expect(readBounded('/proc/self/status', 100_000).toString()).toContain('Pid:');
    expect(errorOf(() => readBounded('/proc/self/status', 100)).code).toBe('io');
  });

  test('neither opens a device nor waits at a FIFO', () => {
    const fifo = join(scratchFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(errorOf(() => readBounded(fifo, 10)).code).toBe('unsafe_path');
    expect(errorOf(() => readBounded('/dev/zero', 10)).code).toBe('unsafe_path');
  });

  test('says which system error there was', () => {
    const error = errorOf(() => openForRead('/nonexistent/file'));
    expect([error.code, error.errno]).toEqual(['io', 'ENOENT']);
  });

  test('reads a file with two names only where none but root can put one', () => {
    const { root, home, outside } = userFolder();
    linkSync(victim(outside), join(home, 'file'));
    linkSync(join(outside, 'victim'), join(root, 'file'));
    expect(errorOf(() => openForRead(join(home, 'file'))).code).toBe('unsafe_path');
    expect(readBounded(join(root, 'file'), 100).toString()).toBe('precious');
  });
});

describe('looking', () => {
  test('shows what is there, a link itself, and nothing', () => {
    const { home, outside } = userFolder();
    symlinkSync(outside, join(home, 'link'));
    expect(statNoFollow(home)?.isDirectory()).toBe(true);
    expect(statNoFollow(join(home, 'link'))?.isSymbolicLink()).toBe(true);
    expect(statNoFollow(join(home, 'missing/too'))).toBe(null);
    expect(errorOf(() => statNoFollow(join(home, 'link/victim'))).code).toBe('unsafe_path');
  });

  test('lists a folder with the kinds of its entries', () => {
    const { home, outside } = userFolder();
    writeFileSync(join(home, 'file'), '');
    symlinkSync(outside, join(home, 'link'));
    mkdirSync(join(home, 'folder'));
    execFileSync('mkfifo', [join(home, 'fifo')]);
    const entries = [...readDirectory(home)].sort((a, b) => a.name.localeCompare(b.name));
    expect(entries).toEqual([
      { name: 'fifo', kind: 'other' },
      { name: 'file', kind: 'file' },
      { name: 'folder', kind: 'directory' },
      { name: 'link', kind: 'link' },
    ]);
    expect(errorOf(() => readDirectory(join(home, 'link'))).code).toBe('unsafe_path');
    expect(readDirectory('/').length).toBeGreaterThan(0);
  });
});
