import { execFileSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  addFileCapability,
  hasFileCapability,
  removeLeftNames,
} from '../../src/host/file-capability.ts';
import { NOBODY, rejectionOf, userFolder } from './rig.ts';

const NET_BIND = 'cap_net_bind_service';

function program(home: string, name = 'server'): string {
  const path = join(home, name);
  copyFileSync('/bin/true', path);
  return path;
}

const getcap = (path: string) => execFileSync('getcap', [path], { encoding: 'utf8' });

test('a program gets the capability, also twice, and nothing stays beside it', async () => {
  const { home } = userFolder();
  const path = program(home);
  expect(await hasFileCapability(path, NET_BIND)).toBe(false);
  await addFileCapability(path, NET_BIND);
  await addFileCapability(path, NET_BIND);
  expect(getcap(path)).toContain('cap_net_bind_service=ep');
  expect(await hasFileCapability(path, NET_BIND)).toBe(true);
  expect(readdirSync(home)).toEqual(['server']);
  expect(statSync(path).nlink).toBe(1);
  chownSync(path, NOBODY, NOBODY);
  expect(await hasFileCapability(path, NET_BIND)).toBe(false);
});

test.each<[string, (path: string, outside: string) => void]>([
  ['a link', (path, outside) => symlinkSync(program(outside), path)],
  ['a folder', (path) => mkdirSync(path)],
  ['a FIFO', (path) => void execFileSync('mkfifo', [path])],
  ['a file with another name', (path, outside) => linkSync(program(outside), path)],
  ['nothing', () => {}],
])('%s gets none', async (_, make) => {
  const { home, outside } = userFolder();
  const path = join(home, 'target');
  make(path, outside);
  const before = readdirSync(home);
  const error = await rejectionOf(addFileCapability(path, NET_BIND));
  expect(error.message).toContain(`cannot give '${path}' ${NET_BIND}: `);
  expect(readdirSync(home)).toEqual(before);
  for (const name of readdirSync(outside)) expect(getcap(join(outside, name))).toBe('');
});

test('what a daemon left that was killed in between is removed, and only that', () => {
  const { home } = userFolder();
  const path = program(home);
  const left = join(home, '.processmaster-0123456789abcdef.setcap');
  mkdirSync(left, { mode: 0o700 });
  linkSync(path, join(left, 'file'));
  const theirs = join(home, '.processmaster-fedcba9876543210.setcap');
  mkdirSync(theirs);
  chownSync(theirs, NOBODY, NOBODY);
  removeLeftNames(path);
  expect(readdirSync(home).toSorted()).toEqual([
    '.processmaster-fedcba9876543210.setcap',
    'server',
  ]);
  expect(statSync(path).nlink).toBe(1);
  removeLeftNames(join(home, 'no/such/program'));
});
