/**
 * One user against root for ten seconds: everything that root is told to write, to give away or to
 * change in the user's folder changes places, as fast as it goes, with what leads outside.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { changeMode } from '../../src/host/change-mode.ts';
import { changeOwner, changeOwnerBelow } from '../../src/host/change-owner.ts';
import { addFileCapability } from '../../src/host/file-capability.ts';
import { openForAppend, readBounded } from '../../src/host/safe-open.ts';
import { TimeSlices } from '../../src/host/time-slices.ts';
import { writeAtomically } from '../../src/host/write-atomically.ts';
import { isErrno, ProcessmasterError } from '../../src/lib/errors.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { folderOf, NOBODY, userFolder, victim } from './rig.ts';

const WINDOW_MS = 10_000;
const OTHER_GROUP = 33;

/** Lets pairs of names change places, or one name lead somewhere now and then. */
const ATTACKER = `
import ctypes, os, sys
home, mode, *names = sys.argv[1:]
os.chdir(home)
renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
pairs = [tuple(name.encode() for name in pair.split('=')) for pair in names]
sys.stdout.write('ready'); sys.stdout.flush()
while True:
    for one, other in pairs:
        if mode == 'exchange':
            renameat2(-100, one, -100, other, 2)
        else:
            try: os.symlink(other, one)
            except FileExistsError: pass
            try: os.unlink(one)
            except FileNotFoundError: pass
`;

test(
  'nothing outside is created, written, read, given away or changed',
  async () => {
    const { home, outside } = userFolder();
    furnish(home, outside);
    const before = snapshot(outside);
    const attackers = [
      attack(
        home,
        'exchange',
        'out.log=log-link',
        'owned=hard',
        'changed=changed-link',
        'given=given-link',
      ),
      attack(home, 'exchange', 'logs=logs-link', 'bin/server=server-link'),
      attack(home, 'exchange', 'tree/a=tree-link', 'tree/b/c=tree-link-2', 'tree/d=hard-2'),
      attack(home, 'toggle', `.pm_provisioned=${join(outside, 'new')}`),
    ];
    await Promise.all(attackers.map(ready));

    const tried = await tryAll(home, WINDOW_MS);

    expect(attackers.map(({ exitCode, signalCode }) => [exitCode, signalCode])).toEqual(
      attackers.map(() => [null, null]),
    );
    expect(snapshot(outside)).toEqual(before);
    // A race that nobody ever won or lost would have shown nothing.
    for (const [what, { done, refused }] of tried) {
      expect([what, done > 0, refused > 0]).toEqual([what, true, true]);
    }
    expect(readdirSync(home).filter((name) => name.startsWith('.processmaster-'))).toEqual([]);
    expect(readdirSync(join(home, 'bin'))).toEqual(['server']);
  },
  WINDOW_MS + 30_000,
);

/** The user's own things and links to root's. */
function furnish(home: string, outside: string): void {
  const precious = victim(outside);
  // Apart: several names alone are a reason to refuse.
  const linked = join(outside, 'linked');
  copyFileSync(precious, linked);
  copyFileSync('/bin/true', join(outside, 'program'));
  mkdirSync(join(outside, 'deep'));
  writeFileSync(join(outside, 'deep/file'), 'precious');
  for (const folder of ['logs', 'bin', 'tree', 'tree/a', 'tree/b', 'tree/b/c']) {
    folderOf(home, folder);
  }
  for (const file of [
    'out.log',
    'changed',
    'owned',
    'given',
    'tree/a/file',
    'tree/b/c/file',
    'tree/d',
  ]) {
    writeFileSync(join(home, file), '');
  }
  copyFileSync('/bin/true', join(home, 'bin/server'));
  symlinkSync(precious, join(home, 'log-link'));
  for (const link of ['given-link', 'changed-link']) symlinkSync(precious, join(home, link));
  for (const link of ['logs-link', 'tree-link', 'tree-link-2'])
    symlinkSync(outside, join(home, link));
  symlinkSync(join(outside, 'program'), join(home, 'server-link'));
  execFileSync('chown', ['-hR', `${NOBODY}:${NOBODY}`, home]);
  // As a kernel without fs.protected_hardlinks lets a user do.
  for (const name of ['hard', 'hard-2']) linkSync(linked, join(home, name));
}

function attack(home: string, mode: 'exchange' | 'toggle', ...pairs: string[]): ChildProcess {
  const attacker = spawn('python3', ['-c', ATTACKER, home, mode, ...pairs], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Its folder is removed next, and it must not work in it any more.
  onTestFinished(async () => {
    if (attacker.kill('SIGKILL')) await once(attacker, 'exit');
  });
  return attacker;
}

async function ready(attacker: ChildProcess): Promise<void> {
  let said = '';
  attacker.stdout?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  await waitFor(() => said === 'ready', { what: 'an attacker', deadlineMs: 20_000 });
}

interface Tries {
  done: number;
  refused: number;
}

/** What root does in such a folder, again and again. */
async function tryAll(home: string, windowMs: number): Promise<ReadonlyMap<string, Tries>> {
  const slice = new TimeSlices().join(new AbortController().signal);
  let gid = NOBODY;
  const acts: Readonly<Record<string, () => unknown>> = {
    'a log file': () => append(join(home, 'out.log')),
    'a log in a folder': () => append(join(home, 'logs/made/out.log')),
    'a file that is read': () => expect(readBounded(join(home, 'given'), 100).toString()).toBe(''),
    'a mode': () => changeMode(join(home, 'changed'), 0o666),
    'an owner': () => changeOwner(join(home, 'given'), { uid: NOBODY, gid }, none()),
    'an owner of a hard link': () => changeOwner(join(home, 'owned'), { uid: NOBODY, gid }, none()),
    'a tree': () => changeOwnerBelow(join(home, 'tree'), { uid: NOBODY, gid }, none(), slice),
    'a marker': () => mark(join(home, '.pm_provisioned')),
    'a capability': () => addFileCapability(join(home, 'bin/server'), 'cap_net_bind_service'),
  };
  const tried = new Map(Object.keys(acts).map((what) => [what, { done: 0, refused: 0 }]));
  const untilMs = performance.now() + windowMs;
  while (performance.now() < untilMs) {
    gid = gid === NOBODY ? OTHER_GROUP : NOBODY;
    for (const [what, act] of Object.entries(acts)) {
      const tries = tried.get(what);
      if (tries !== undefined) await attempt(act, tries);
    }
    await nextTurn();
  }
  return tried;
}

async function attempt(act: () => unknown, tries: Tries): Promise<void> {
  try {
    await act();
    tries.done += 1;
  } catch (error) {
    if (!(error instanceof ProcessmasterError)) throw error;
    // Exchanged once more between two looks it is just not there, or no folder.
    const isRefused = error.code === 'unsafe_path' || error.code === 'conflict';
    if (!isRefused && !isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EEXIST')) throw error;
    tries.refused += 1;
  }
}

function append(path: string): void {
  const fd = openForAppend(path, { mode: 0o640, createDirectories: true });
  try {
    writeSync(fd, '');
  } finally {
    closeSync(fd);
  }
}

function mark(path: string): void {
  const isWritten = writeAtomically(path, (present) => (present === null ? 'marked' : null), {
    mode: 0o644,
    maxBytes: 100,
  });
  if (isWritten) unlinkIfMade(path);
}

/** The attacker may have removed it. */
function unlinkIfMade(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

const none = () => ({ changed: 0, leftAlone: 0 });

/** Everything there is to know of root's own. */
function snapshot(outside: string): readonly string[] {
  const names = ['.', ...readdirSync(outside, { recursive: true, encoding: 'utf8' })].toSorted();
  return names.map((name) => {
    const path = join(outside, name);
    const { uid, gid, mode, size, nlink } = statSync(path);
    const content = statSync(path).isFile() ? readFileSync(path).toString('hex') : '';
    const capabilities = execFileSync('getcap', [path], { encoding: 'utf8' });
    return [name, uid, gid, mode, size, nlink, content, capabilities].join(' ');
  });
}
