import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openForAppend, statNoFollow } from '../../src/host/safe-open.ts';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { errorOf, folderOf, NOBODY, scratchFolder, userFolder, victim } from './rig.ts';

const LOG = { mode: 0o640, createDirectories: true };

function append(path: string, text: string): void {
  const fd = openForAppend(path, LOG);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

describe('appending', () => {
  test('creates the file with its mode whatever the umask, and goes on at its end', () => {
    const { home } = userFolder();
    const before = process.umask(0o777);
    try {
      append(join(home, 'out.log'), 'a\n');
    } finally {
      process.umask(before);
    }
    append(join(home, 'out.log'), 'b\n');
    expect(readFileSync(join(home, 'out.log'), 'utf8')).toBe('a\nb\n');
    const made = statSync(join(home, 'out.log'));
    expect(made.mode & 0o7777).toBe(0o640);
    expect(made.uid).toBe(0);
  });

  test('makes missing folders that belong to the owner of the one they are in', () => {
    const { home } = userFolder();
    const before = process.umask(0o077);
    try {
      append(join(home, 'logs/web/out.log'), 'a\n');
    } finally {
      process.umask(before);
    }
    for (const folder of ['logs', 'logs/web']) {
      const made = statSync(join(home, folder));
      expect([made.uid, made.gid, made.mode & 0o7777]).toEqual([NOBODY, NOBODY, 0o755]);
    }
  });

  test('makes no folder where that was not asked for', () => {
    const { home } = userFolder();
    const path = join(home, 'logs/out.log');
    const error = errorOf(() => openForAppend(path, { mode: 0o640, createDirectories: false }));
    expect([error.code, error.errno]).toEqual(['io', 'ENOENT']);
    expect(readdirSync(home)).toEqual([]);
  });

  test('refuses a relative path', () => {
    expect(errorOf(() => openForAppend('out.log', LOG)).code).toBe('invalid_argument');
  });

  const attacks: readonly [string, (file: string, outside: string) => void][] = [
    ['a link to an existing file', (file, outside) => symlinkSync(victim(outside), file)],
    ['a link that leads nowhere yet', (file, outside) => symlinkSync(join(outside, 'new'), file)],
    ['a link of root in a folder of the user', (file, outside) => symlinkSync(outside, file)],
    ['a FIFO', (file) => void execFileSync('mkfifo', [file])],
    ['a folder', (file) => void mkdirSync(file)],
    ['a device', (file) => void execFileSync('mknod', [file, 'c', '1', '3'])],
    ['a file with another name elsewhere', (file, outside) => linkSync(victim(outside), file)],
    ['a socket', (file) => void execFileSync('python3', ['-c', BIND_SOCKET, file])],
  ];
  const BIND_SOCKET = 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';

  test.each(attacks)('refuses %s and touches nothing', (_, attack) => {
    const { home, outside } = userFolder();
    const file = join(home, 'out.log');
    attack(file, outside);
    const before = snapshot(outside);
    const error = errorOf(() => openForAppend(file, LOG));
    expect(error.code).toBe('unsafe_path');
    expect(error.message).toContain(`cannot open '${file}' for appending: `);
    expect(snapshot(outside)).toEqual(before);
  });

  test.each([
    ['that exists', 'outside'],
    ['that does not', 'nowhere'],
  ])('refuses a parent that is a link to a folder %s', (_, target) => {
    const { root, home } = userFolder();
    symlinkSync(join(root, target), join(home, 'logs'));
    lchownSync(join(home, 'logs'), NOBODY, NOBODY);
    const error = errorOf(() => openForAppend(join(home, 'logs/out.log'), LOG));
    expect(error.code).toBe('unsafe_path');
    expect(existsSync(join(root, 'nowhere'))).toBe(false);
    expect(readdirSync(join(root, 'outside'))).toEqual([]);
  });

  test('follows links that only root can have put there, relative and absolute ones', () => {
    const { root, outside } = userFolder();
    symlinkSync('outside', join(root, 'relative'));
    symlinkSync(join(root, 'relative'), join(root, 'absolute'));
    symlinkSync('../outside/real.log', join(folderOf(root, 'etc'), 'linked.log'));
    append(join(root, 'absolute/out.log'), 'a\n');
    append(join(root, 'etc/linked.log'), 'b\n');
    expect(readFileSync(join(outside, 'out.log'), 'utf8')).toBe('a\n');
    expect(readFileSync(join(outside, 'real.log'), 'utf8')).toBe('b\n');
  });

  test.each([
    ['others may write to', 0, 0o777],
    ['another group may write to', NOBODY, 0o775],
    ['others may write to, sticky or not', 0, 0o1777],
  ])('follows no link in a folder that %s', (_, gid, mode) => {
    const { root, outside } = userFolder();
    const open = folderOf(root, 'open', mode);
    chownSync(open, 0, gid);
    symlinkSync(outside, join(open, 'logs'));
    expect(errorOf(() => openForAppend(join(open, 'logs/out.log'), LOG)).code).toBe('unsafe_path');
    expect(readdirSync(outside)).toEqual([]);
  });

  test('gives up on a loop of links', () => {
    const root = scratchFolder();
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    const error = errorOf(() => openForAppend(join(root, 'a/out.log'), LOG));
    expect(error.code).toBe('io');
  });

  test('leaks no descriptor, whatever happens', () => {
    const { home, outside } = userFolder();
    symlinkSync(outside, join(home, 'link'));
    writeFileSync(join(home, 'file'), '');
    const before = readdirSync('/proc/self/fd').length;
    for (const path of ['link/x', 'link', 'file/x', 'file', 'new/x', 'fresh']) {
      try {
        closeSync(openForAppend(join(home, path), LOG));
      } catch (error) {
        expect(error).toHaveProperty('code');
      }
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  test('is not led outside by someone who swaps a folder for a link all the time', async () => {
    const { home, outside } = userFolder();
    chownSync(folderOf(home, 'logs'), NOBODY, NOBODY);
    const swapper = spawn('python3', ['-c', SWAP, home, outside], { uid: NOBODY, gid: NOBODY });
    onTestFinished(() => void swapper.kill('SIGKILL'));
    const seen = { opened: 0, unsafe: 0 };
    await waitFor(() => statNoFollow(join(home, 'logs'))?.isSymbolicLink(), {
      what: 'the first swap',
    });
    const untilMs = performance.now() + 2_000;
    while (performance.now() < untilMs) {
      try {
        append(join(home, 'logs/deep/out.log'), 'x');
        seen.opened += 1;
      } catch (error) {
        if (!(error instanceof ProcessmasterError)) throw error;
        // Swapped once more between two looks, it is just not a folder: refused as well.
        if (error.code === 'unsafe_path') seen.unsafe += 1;
        else expect(error.errno).toBe('ENOTDIR');
      }
      await nextTurn();
    }
    expect(swapper.exitCode).toBe(null);
    expect(seen.opened).toBeGreaterThan(0);
    expect(seen.unsafe).toBeGreaterThan(0);
    expect(readdirSync(outside)).toEqual([]);
    expect(statSync(outside).uid).toBe(0);
  });

  test('leaves the owner and the mode of a folder that is there alone', () => {
    const { home } = userFolder();
    const secret = folderOf(home, 'secret', 0o700);
    renameSync(secret, join(home, 'logs'));
    append(join(home, 'logs/out.log'), 'x');
    const kept = statSync(join(home, 'logs'));
    expect([kept.uid, kept.mode & 0o7777]).toEqual([0, 0o700]);
  });
});

/** Lets a real folder and a link to `outside` change places as fast as it goes (renameat2(2)). */
const SWAP = `
import ctypes, os, sys
home, outside = sys.argv[1:]
os.chdir(home)
os.symlink(outside, 'link')
libc = ctypes.CDLL(None)
AT_FDCWD, RENAME_EXCHANGE = -100, 2
while libc.renameat2(AT_FDCWD, b'logs', AT_FDCWD, b'link', RENAME_EXCHANGE) == 0: pass
`;

function snapshot(folder: string): readonly string[] {
  return [folder, dirname(folder)].flatMap((each) =>
    readdirSync(each).map((name) => {
      const { uid, gid, mode, size } = statSync(join(each, name));
      return [name, uid, gid, mode, size].join(' ');
    }),
  );
}
