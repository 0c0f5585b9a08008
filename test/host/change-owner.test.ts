import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, onTestFinished, test } from 'vitest';
import { changeMode } from '../../src/host/change-mode.ts';
import { changeOwner, changeOwnerBelow } from '../../src/host/change-owner.ts';
import { TimeSlices } from '../../src/host/time-slices.ts';
import {
  errorOf,
  folderOf,
  NOBODY,
  rejectionOf,
  scratchFolder,
  userFolder,
  victim,
} from './rig.ts';

const TO_NOBODY = { uid: NOBODY, gid: NOBODY };

function below(path: string, ownership = TO_NOBODY, signal = new AbortController().signal) {
  const changes = { changed: 0, leftAlone: 0 };
  const done = changeOwnerBelow(path, ownership, changes, new TimeSlices().join(signal));
  return { changes, done };
}

const idsOf = (path: string) => {
  const { uid, gid } = lstatSync(path);
  return [uid, gid];
};

test('gives a folder and everything below it away, and counts what was another’s', async () => {
  const root = scratchFolder();
  const tree = folderOf(root, 'tree');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file'), '');
  writeFileSync(join(tree, 'theirs'), '');
  chownSync(join(tree, 'theirs'), NOBODY, NOBODY);
  execFileSync('mkfifo', [join(tree, 'fifo')]);
  const { changes, done } = below(tree);
  await done;
  expect(changes).toEqual({ changed: 5, leftAlone: 0 });
  for (const path of ['.', 'a', 'a/b', 'a/b/file', 'theirs', 'fifo']) {
    expect([path, ...idsOf(join(tree, path))]).toEqual([path, NOBODY, NOBODY]);
  }
  expect(idsOf(root)).toEqual([0, 0]);

  const again = below(tree);
  await again.done;
  expect(again.changes.changed).toBe(0);
});

test('keeps the owner where only a group is given, and the other way round', () => {
  const { home } = userFolder();
  changeOwner(home, { uid: null, gid: 0 }, { changed: 0, leftAlone: 0 });
  expect(idsOf(home)).toEqual([NOBODY, 0]);
  changeOwner(home, { uid: 0, gid: null }, { changed: 0, leftAlone: 0 });
  expect(idsOf(home)).toEqual([0, 0]);
});

test('a name need not be text', async () => {
  const tree = folderOf(scratchFolder(), 'tree');
  const name = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x41])]);
  writeFileSync(name, '');
  const { changes, done } = below(tree);
  await done;
  expect(changes.changed).toBe(2);
  expect(statSync(name).uid).toBe(NOBODY);
});

test('neither changes nor follows links, enters no mount and leaves devices alone', async () => {
  const { root, outside } = userFolder();
  const tree = folderOf(root, 'tree');
  symlinkSync(victim(outside), join(tree, 'link'));
  symlinkSync(outside, join(tree, 'folder-link'));
  execFileSync('mknod', [join(tree, 'null'), 'c', '1', '3']);
  // The very same file system: its number alone would not tell.
  execFileSync('mount', ['--bind', outside, folderOf(tree, 'mounted')]);
  onTestFinished(() => void execFileSync('umount', [join(tree, 'mounted')]));
  const { changes, done } = below(tree);
  await done;
  expect(changes).toEqual({ changed: 1, leftAlone: 4 });
  for (const path of ['link', 'folder-link', 'null', 'mounted']) {
    expect([path, ...idsOf(join(tree, path))]).toEqual([path, 0, 0]);
  }
  expect(idsOf(join(outside, 'victim'))).toEqual([0, 0]);
});

test('refuses a file with other names where others could have put it, and says how far it came', async () => {
  const { home, outside } = userFolder();
  const precious = victim(outside);
  linkSync(precious, join(home, 'mine'));
  const { done } = below(home, { uid: NOBODY, gid: 0 });
  const error = await rejectionOf(done);
  expect(error.code).toBe('unsafe_path');
  expect(error.message).toBe(
    `cannot change the owner of '${home}/mine': it has 2 names and belongs to uid 0, so it could be anyone's (remove the other hard links)`,
  );
  expect(idsOf(precious)).toEqual([0, 0]);
  expect(errorOf(() => changeMode(join(home, 'mine'), 0o666)).code).toBe('unsafe_path');
  expect(statSync(precious).mode & 0o777).toBe(0o600);
});

test('takes a file with several names where only its owner can have given them', async () => {
  const tree = folderOf(scratchFolder(), 'tree');
  writeFileSync(join(tree, 'one'), '');
  linkSync(join(tree, 'one'), join(tree, 'other'));
  const { changes, done } = below(tree);
  await done;
  expect(changes.changed).toBe(2);
  expect(idsOf(join(tree, 'other'))).toEqual([NOBODY, NOBODY]);
});

test.each([
  ['a device', (path: string) => void execFileSync('mknod', [path, 'c', '1', '3'])],
  ['a link', (path: string) => symlinkSync('/etc', path)],
  ['nothing', () => {}],
])('refuses %s that is named itself', (_, make) => {
  const { home } = userFolder();
  const path = join(home, 'target');
  make(path);
  const changes = { changed: 0, leftAlone: 0 };
  for (const act of [() => changeOwner(path, TO_NOBODY, changes), () => changeMode(path, 0o777)]) {
    expect(errorOf(act).message).toContain(`of '${path}': `);
  }
  expect(changes.changed).toBe(0);
  if (existsSync(path)) expect(idsOf(path)).toEqual([0, 0]);
});

test('sets every bit of a mode, of a folder and of a file', () => {
  const folder = folderOf(scratchFolder(), 'folder');
  changeMode(folder, 0o2770);
  writeFileSync(join(folder, 'file'), '');
  changeMode(join(folder, 'file'), 0o4711);
  expect(statSync(folder).mode & 0o7777).toBe(0o2770);
  expect(statSync(join(folder, 'file')).mode & 0o7777).toBe(0o4711);
});

test('gives up at a depth that nobody means, and leaks no descriptor', async () => {
  const tree = folderOf(scratchFolder(), 'tree');
  mkdirSync(join(tree, Array(150).fill('d').join('/')), { recursive: true });
  const before = readdirSync('/proc/self/fd').length;
  const error = await rejectionOf(below(tree).done);
  expect(error.message).toContain('deeper than 100 folders');
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('ends when it is given up', async () => {
  const tree = folderOf(scratchFolder(), 'tree');
  writeFileSync(join(tree, 'file'), '');
  const { done } = below(tree, TO_NOBODY, AbortSignal.abort(new Error('given up')));
  await expect(done).rejects.toThrow('given up');
  expect(idsOf(join(tree, 'file'))).toEqual([0, 0]);
});

test('100,000 files hold nobody up', { timeout: 120_000 }, async () => {
  const tree = folderOf(scratchFolder(), 'tree');
  chmodSync(tree, 0o755);
  const make = 'for d in $(seq 10); do mkdir $d; (cd $d; seq 10000 | xargs touch); done';
  execFileSync('sh', ['-c', make], { cwd: tree });
  const p99s: number[] = [];
  // A machine that others keep busy has pauses of its own: one time of three must do.
  for (const uid of [NOBODY, 1, 2]) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const { changes, done } = below(tree, { uid, gid: NOBODY });
    await done;
    delay.disable();
    expect(changes.changed).toBe(100_011);
    p99s.push(delay.percentile(99) / 1e6);
    if ((p99s.at(-1) ?? 0) < 50) break;
  }
  expect(Math.min(...p99s)).toBeLessThan(50);
});
