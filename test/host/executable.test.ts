import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assertWorkingDirectory, findExecutable } from '../../src/host/executable.ts';
import type { Identity } from '../../src/host/identity.ts';
import { errorOf, executable, folderOf, scratchFolder } from './rig.ts';

const identity = (uid: number, gid: number, groups = [gid]): Identity => ({
  userName: `user${uid}`,
  uid,
  gid,
  groups,
  home: '/',
  shell: '/bin/sh',
});
const ROOT = identity(0, 0);
const USER = identity(2000, 2000, [2000, 3000]);

function reasonNotToExecute(argv0: string, cwd: string, path: string, who: Identity): string {
  const error = errorOf(() => findExecutable(argv0, cwd, path, who));
  expect([error.code, error.stage]).toEqual(['launch_failed', 'exec']);
  expect(error.message).toContain(`cannot execute '${argv0}': `);
  return error.message;
}

describe('finding', () => {
  test('takes a path as it is, a relative one from the working directory', () => {
    const folder = scratchFolder();
    executable(join(folder, 'run'), '#!/bin/sh\n');
    expect(findExecutable(join(folder, 'run'), '/', '', USER)).toBe(join(folder, 'run'));
    expect(findExecutable('./run', folder, '', USER)).toBe(join(folder, 'run'));
  });

  test('keeps the name of a link, which programs look at', () => {
    const folder = scratchFolder();
    executable(join(folder, 'busy'), '#!/bin/sh\n');
    symlinkSync('busy', join(folder, 'alias'));
    expect(findExecutable('./alias', folder, '', USER)).toBe(join(folder, 'alias'));
  });

  test('takes the first that can be executed in the path', () => {
    const folder = scratchFolder();
    for (const name of ['a', 'b', 'c', 'd']) folderOf(folder, name);
    mkdirSync(join(folder, 'a/run'));
    executable(join(folder, 'b/run'), 'text', 0o644);
    executable(join(folder, 'c/run'), '#!/bin/sh\n');
    executable(join(folder, 'd/run'), '#!/bin/sh\n');
    const path = ['missing', 'a', 'b', 'c', 'd'].map((name) => join(folder, name)).join(':');
    expect(findExecutable('run', '/', path, USER)).toBe(join(folder, 'c/run'));
  });

  test('takes an empty entry of the path for the working directory', () => {
    const folder = scratchFolder();
    executable(join(folder, 'run'), '#!/bin/sh\n');
    expect(findExecutable('run', folder, '/nonexistent:', USER)).toBe(join(folder, 'run'));
  });

  test('prefers what may certainly be executed to what perhaps may', () => {
    const folder = scratchFolder();
    const [first, second] = [folderOf(folder, 'first'), folderOf(folder, 'second')];
    executable(join(first, 'run'), '#!/bin/sh\n', 0o750);
    expect(findExecutable('run', '/', first, USER)).toBe(join(first, 'run'));
    executable(join(second, 'run'), '#!/bin/sh\n');
    expect(findExecutable('run', '/', `${first}:${second}`, USER)).toBe(join(second, 'run'));
  });
});

describe('refusing', () => {
  test('names the path that was searched', () => {
    const why = reasonNotToExecute('no-such-program', '/', '/usr/bin:/bin', ROOT);
    expect(why).toContain(`not in PATH '/usr/bin:/bin'`);
  });

  test('names what was found in the path and why it will not do', () => {
    const folder = scratchFolder();
    executable(join(folder, 'run'), 'text', 0o644);
    const why = reasonNotToExecute('run', '/', folder, ROOT);
    expect(why).toContain(`'${join(folder, 'run')}': user 'user0' may not execute it (mode 0644`);
  });

  test.each<[string, string, (path: string) => void]>([
    ['nothing', 'No such file or directory', () => {}],
    ['a folder', 'it is no regular file', (path) => mkdirSync(path)],
    ['a FIFO', 'it is no regular file', (path) => void execFileSync('mkfifo', [path])],
    ['a link in a circle', 'Too many levels', (path) => symlinkSync(path, path)],
    [
      'a script of nobody',
      `'/no/such/sh' does not exist`,
      (path) => executable(path, '#!/no/such/sh -x\n'),
    ],
  ])('says what is wrong with %s', (_, why, put) => {
    const path = join(scratchFolder(), 'run');
    put(path);
    expect(reasonNotToExecute(path, '/', '', ROOT)).toContain(why);
  });

  test.each<[string, number, number, number, Identity, boolean]>([
    ['its owner', 2000, 0, 0o100, USER, true],
    ['its owner, whom others have more than', 2000, 0, 0o655, USER, false],
    ['a member of its group', 0, 3000, 0o610, USER, true],
    ['a member of its group, whom others have more than', 0, 3000, 0o601, USER, false],
    ['others', 0, 0, 0o601, USER, true],
    ['others without the bit', 0, 0, 0o644, USER, false],
    ['root by any bit', 2000, 0, 0o010, ROOT, true],
    ['root without any bit', 0, 0, 0o666, ROOT, false],
  ])('goes by the mode for %s', (_, uid, gid, mode, who, allowed) => {
    const path = executable(join(scratchFolder(), 'run'), 'text');
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    if (allowed) expect(findExecutable(path, '/', '', who)).toBe(path);
    else expect(reasonNotToExecute(path, '/', '', who)).toContain('may not execute it');
  });

  test('names the folder that may not be searched', () => {
    const closed = folderOf(scratchFolder(), 'closed', 0o700);
    const path = executable(join(closed, 'run'), '#!/bin/sh\n');
    const why = reasonNotToExecute(path, '/', '', USER);
    expect(why).toContain(`user 'user2000' may not search '${realpathSync(closed)}'`);
    expect(findExecutable(path, '/', '', ROOT)).toBe(path);
  });
});

describe('the working directory', () => {
  test('may be any folder that the user can enter', () => {
    const folder = scratchFolder();
    symlinkSync('.', join(folder, 'link'));
    assertWorkingDirectory(join(folder, 'link'), USER);
    assertWorkingDirectory('/', USER);
  });

  test.each<[string, string, (path: string) => void]>([
    ['missing', 'No such file or directory', () => {}],
    ['a file', 'it is no folder', (path) => executable(path, '')],
    ['closed', `user 'user2000' may not search`, (path) => mkdirSync(path, 0o700)],
  ])('is refused when it is %s', (_, why, put) => {
    const path = join(scratchFolder(), 'home');
    put(path);
    const error = errorOf(() => assertWorkingDirectory(path, USER));
    expect([error.code, error.stage]).toEqual(['launch_failed', 'chdir']);
    expect(error.message).toContain(`cannot enter the folder '${path}': ${why}`);
  });

  test('is refused when a folder above it is closed', () => {
    const closed = folderOf(scratchFolder(), 'closed', 0o700);
    const error = errorOf(() => assertWorkingDirectory(folderOf(closed, 'inner'), USER));
    expect(error.message).toContain(`may not search '${realpathSync(closed)}'`);
  });
});
