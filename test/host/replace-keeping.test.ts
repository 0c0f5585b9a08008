import { execFileSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { replaceKeeping } from '../../src/host/replace-keeping.ts';
import { errorOf, NOBODY, scratchFolder, userFolder, victim } from './rig.ts';

const MARKER = '.again';
const run = (folder: string) =>
  replaceKeeping({
    folder,
    names: ['a.yml', 'a.yaml'],
    data: 'new',
    mode: 0o644,
    marker: MARKER,
    maxBytes: 1_000,
  });

/** A folder with these files and the marker, which is the youngest. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = scratchFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  mark(folder);
  return folder;
}

/** Until its clock has ticked, a filesystem cannot tell what came first. */
function mark(folder: string): void {
  const youngest = Math.max(
    ...readdirSync(folder).map((name) => statSync(join(folder, name)).ctimeMs),
  );
  do {
    rmSync(join(folder, MARKER), { force: true });
    writeFileSync(join(folder, MARKER), '');
  } while (statSync(join(folder, MARKER)).ctimeMs <= youngest);
}

function contentOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** Nothing in the folder can be changed with that file until the test ends. */
function makeImmutable(path: string): void {
  execFileSync('chattr', ['+i', path]);
  onTestFinished(() => void execFileSync('chattr', ['-i', path]));
}

describe('a file that is written anew', () => {
  test('keeps the old one under a name that was free', () => {
    const folder = folderWith({ 'a.yml': 'old', 'a.yml.bak': 'older', 'a.yml.bak.1': 'oldest' });
    expect(run(folder)).toEqual([{ name: 'a.yml', backup: 'a.yml.bak.2' }]);
    expect(contentOf(folder)).toEqual({
      'a.yml': 'new',
      'a.yml.bak': 'older',
      'a.yml.bak.1': 'oldest',
      'a.yml.bak.2': 'old',
    });
    expect(statSync(join(folder, 'a.yml.bak.2')).nlink).toBe(1);
  });

  test('keeps both of two, and is the only one then', () => {
    const folder = folderWith({ 'a.yml': 'first', 'a.yaml': 'second' });
    run(folder);
    expect(contentOf(folder)).toEqual({
      'a.yml': 'new',
      'a.yml.bak': 'first',
      'a.yml.bak.1': 'second',
    });
  });

  test('takes the place of the one with the other name', () => {
    const folder = folderWith({ 'a.yaml': 'old' });
    run(folder);
    expect(contentOf(folder)).toEqual({ 'a.yml': 'new', 'a.yml.bak': 'old' });
  });

  test("is made where there was none, as its folder owner's", () => {
    const { home } = userFolder();
    writeFileSync(join(home, MARKER), '');
    expect(run(home)).toEqual([]);
    expect(contentOf(home)).toEqual({ 'a.yml': 'new' });
    const { uid, gid, mode, nlink } = statSync(join(home, 'a.yml'));
    expect([uid, gid, mode & 0o7777, nlink]).toEqual([NOBODY, NOBODY, 0o644, 1]);
  });

  test('keeps also an old one that says the same', () => {
    const folder = folderWith({ 'a.yml': 'new' });
    run(folder);
    expect(contentOf(folder)).toEqual({ 'a.yml': 'new', 'a.yml.bak': 'new' });
  });

  test('is not written without a marker', () => {
    const folder = folderWith({ 'a.yml': 'old' });
    rmSync(join(folder, MARKER));
    expect(run(folder)).toBeNull();
    expect(contentOf(folder)).toEqual({ 'a.yml': 'old' });
  });
});

describe('an attempt that was broken off', () => {
  const finished = { 'a.yml': 'new', 'a.yml.bak': 'first', 'a.yml.bak.1': 'second' };
  const link = (folder: string, from: string, to: string) =>
    linkSync(join(folder, from), join(folder, to));
  const stages: readonly (readonly [string, (folder: string) => void])[] = [
    ['with one backup', (folder) => link(folder, 'a.yml', 'a.yml.bak')],
    [
      'with both backups',
      (folder) => {
        link(folder, 'a.yml', 'a.yml.bak');
        link(folder, 'a.yaml', 'a.yml.bak.1');
      },
    ],
    [
      'with the new file in place',
      (folder) => {
        link(folder, 'a.yml', 'a.yml.bak');
        link(folder, 'a.yaml', 'a.yml.bak.1');
        rmSync(join(folder, 'a.yml'));
        writeFileSync(join(folder, 'a.yml'), 'new');
      },
    ],
    [
      'with all but the marker done',
      (folder) => {
        link(folder, 'a.yml', 'a.yml.bak');
        link(folder, 'a.yaml', 'a.yml.bak.1');
        rmSync(join(folder, 'a.yml'));
        rmSync(join(folder, 'a.yaml'));
        writeFileSync(join(folder, 'a.yml'), 'new');
      },
    ],
  ];
  test.each(stages)('%s is finished by another', (_when, breakOff) => {
    const folder = folderWith({ 'a.yml': 'first', 'a.yaml': 'second' });
    breakOff(folder);
    run(folder);
    expect(contentOf(folder)).toEqual(finished);
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).nlink)).toEqual([
      1, 1, 1,
    ]);
  });
});

describe('what cannot be done', () => {
  test.each(['a.yml', 'a.yaml', MARKER])('leaves all as it was where %s cannot be', (stuck) => {
    const before = { 'a.yml': 'first', 'a.yaml': 'second', [MARKER]: '' };
    const folder = folderWith({ 'a.yml': 'first', 'a.yaml': 'second' });
    const inodes = () => Object.keys(before).map((name) => statSync(join(folder, name)).ino);
    const inodesBefore = inodes();
    makeImmutable(join(folder, stuck));
    const error = errorOf(() => run(folder));
    expect([error.code, error.errno]).toEqual(['io', 'EPERM']);
    expect(error.message).toContain(`cannot write '${folder}/a.yml' anew`);
    expect(contentOf(folder)).toEqual(before);
    expect(inodes()).toEqual(inodesBefore);
  });

  test('leaves all as it was on a full disk', () => {
    const folder = scratchFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=3', 'tmpfs', folder]);
    onTestFinished(() => void execFileSync('umount', [folder]));
    writeFileSync(join(folder, 'a.yml'), 'old');
    writeFileSync(join(folder, MARKER), '');
    expect(errorOf(() => run(folder)).errno).toBe('ENOSPC');
    expect(contentOf(folder)).toEqual({ 'a.yml': 'old', [MARKER]: '' });
  });

  const attacks: readonly (readonly [string, string, (path: string, outside: string) => void])[] = [
    ['a link', 'a.yml', (path, outside) => symlinkSync(victim(outside), path)],
    ['a dangling link', 'a.yaml', (path, outside) => symlinkSync(join(outside, 'no'), path)],
    ["a hard link to another's file", 'a.yml', (path, outside) => linkSync(victim(outside), path)],
    ['a folder', 'a.yml', (path) => mkdirSync(path)],
    ['a link for the marker', MARKER, (path, outside) => symlinkSync(victim(outside), path)],
    ['a folder for the marker', MARKER, (path) => mkdirSync(path)],
  ];
  test.each(attacks)('is %s', (_what, name, attack) => {
    const { home, outside } = userFolder();
    if (name !== MARKER) writeFileSync(join(home, MARKER), '');
    if (name !== 'a.yml') writeFileSync(join(home, 'a.yml'), 'old');
    attack(join(home, name), outside);
    const before = readdirSync(home);
    expect(errorOf(() => run(home)).code).toBe('unsafe_path');
    expect(readdirSync(home)).toEqual(before);
    for (const file of readdirSync(outside)) {
      expect(readFileSync(join(outside, file), 'utf8')).toBe('precious');
      expect(statSync(join(outside, file))).toMatchObject({ uid: 0 });
    }
  });

  test('is done in no folder that another than root put a link for', () => {
    const { home, outside } = userFolder();
    symlinkSync(outside, join(home, 'sub'));
    writeFileSync(join(outside, MARKER), '');
    chownSync(join(home), NOBODY, NOBODY);
    expect(errorOf(() => run(join(home, 'sub'))).code).toBe('unsafe_path');
    expect(readdirSync(outside)).toEqual([MARKER]);
  });
});
