import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeDirectory, ownDirectory } from '../../src/host/own-directory.ts';

const NOBODY = 65534;

describe('a folder of the daemon’s own', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'pm-own-'));
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  it('is made where it is missing, with all that leads to it', () => {
    ownDirectory(join(base, 'run/pm'), 0o700);
    expect(statSync(join(base, 'run/pm')).mode & 0o777).toBe(0o700);
  });

  it('is judged without being made', () => {
    expect(() => judgeDirectory(join(base, 'run/pm'))).not.toThrow();
    expect(existsSync(join(base, 'run'))).toBe(false);
    chownSync(base, NOBODY, NOBODY);
    for (const path of [base, join(base, 'run/pm')]) {
      expect(() => judgeDirectory(path)).toThrow(`others than root may write to '${base}'`);
    }
  });

  it('may be where only the owner of an entry may rename it', () => {
    chmodSync(base, 0o1777);
    expect(() => ownDirectory(join(base, 'pm'), 0o755)).not.toThrow();
  });

  it.each([
    ['everybody may write to it', (path: string) => chmodSync(path, 0o777)],
    ['everybody may write to it, sticky or not', (path: string) => chmodSync(path, 0o1777)],
    ['it is another user’s', (path: string) => chownSync(path, NOBODY, 0)],
    [
      'a group may write to it',
      (path: string) => {
        chownSync(path, 0, NOBODY);
        chmodSync(path, 0o770);
      },
    ],
  ])('is refused when %s', (_title, spoil) => {
    const path = join(base, 'pm');
    mkdirSync(path);
    spoil(path);
    expect(() => ownDirectory(path, 0o755)).toThrow(/others than root may write to/);
  });

  it.each([
    ['everybody may write to its parent', (path: string) => chmodSync(path, 0o777)],
    ['its parent is another user’s', (path: string) => chownSync(path, NOBODY, NOBODY)],
  ])('is refused when %s', (_title, spoil) => {
    mkdirSync(join(base, 'parent/pm'), { recursive: true });
    spoil(join(base, 'parent'));
    expect(() => ownDirectory(join(base, 'parent/pm'), 0o755)).toThrow(/and so replace it/);
  });

  it('is judged by where a link leads', () => {
    mkdirSync(join(base, 'open'));
    chmodSync(join(base, 'open'), 0o777);
    symlinkSync(join(base, 'open'), join(base, 'link'));
    expect(() => ownDirectory(join(base, 'link'), 0o755)).toThrow(/open/);
  });
});
