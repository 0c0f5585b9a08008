import { chmodSync, chownSync, linkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAs, readAttributed } from '../../src/host/trusted-file.ts';
import { WWW } from './launch-rig.ts';
import { folderOf, NOBODY, scratchFolder, userFolder } from './rig.ts';

function file(folder: string, mode: number, [uid, gid] = [0, 0]): string {
  const path = join(folder, 'file');
  writeFileSync(path, 'content');
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return path;
}

describe("a file is known to be nobody but root's", () => {
  const isRootsOwn = (path: string) => readAttributed(path, 100).isRootsOwn;

  it('when it is, in folders that are', () => {
    expect(isRootsOwn(file(scratchFolder(), 0o644))).toBe(true);
    const sticky = scratchFolder();
    chmodSync(sticky, 0o1777);
    expect(isRootsOwn(file(sticky, 0o600))).toBe(true);
  });

  it("also behind a link of root's", () => {
    const [folder, elsewhere] = [scratchFolder(), scratchFolder()];
    symlinkSync(file(elsewhere, 0o644), join(folder, 'link'));
    expect(isRootsOwn(join(folder, 'link'))).toBe(true);
  });

  it.each([
    ['writable by a group', 0o664, [0, 0]],
    ['writable by anybody', 0o646, [0, 0]],
    ["another's", 0o644, [NOBODY, 0]],
  ] as const)('not when it is %s', (_, mode, [uid, gid]) => {
    expect(isRootsOwn(file(scratchFolder(), mode, [uid, gid]))).toBe(false);
  });

  it("not in a folder, or below one, that is another's", () => {
    const { home } = userFolder();
    expect(isRootsOwn(file(home, 0o644))).toBe(false);
    expect(isRootsOwn(file(folderOf(home, 'roots'), 0o644))).toBe(false);
  });
});

describe('a file read for somebody', () => {
  const read = (path: string) => readAs(WWW, path, 100).toString();

  it.each([
    ['anybody may read', 0o644, [0, 0]],
    ['is theirs', 0o400, [WWW.uid, 0]],
    ["is their group's", 0o040, [0, WWW.gid]],
  ] as const)('is read when it %s', (_, mode, [uid, gid]) => {
    expect(read(file(scratchFolder(), mode, [uid, gid]))).toBe('content');
  });

  it.each([
    ['is for root alone', 0o600, [0, 0]],
    ['is theirs without a right to read', 0o044, [WWW.uid, WWW.gid]],
    ["is their group's without a right to read", 0o604, [0, WWW.gid]],
    ['could only be opened by an access control list', 0o640, [0, NOBODY]],
  ] as const)('is refused when it %s', (_, mode, [uid, gid]) => {
    const path = file(scratchFolder(), mode, [uid, gid]);
    expect(() => read(path)).toThrow(/cannot read '.*': user 'www-data' may not read it/);
  });

  it("is refused in a folder that they cannot search, also through a link of root's", () => {
    const root = scratchFolder();
    const shut = folderOf(root, 'shut', 0o700);
    const path = file(folderOf(shut, 'open'), 0o644);
    symlinkSync(path, join(root, 'link'));
    for (const way of [path, join(root, 'link')]) {
      expect(() => read(way)).toThrow(`may not search '${shut}'`);
    }
  });

  it('is refused when it has a second name in a folder of theirs', () => {
    const { root, home } = userFolder();
    linkSync(file(root, 0o644), join(home, 'second'));
    expect(() => read(join(home, 'second'))).toThrow(/2 names/);
  });

  it('is bounded', () => {
    expect(() => readAs(WWW, file(scratchFolder(), 0o644), 3)).toThrow('larger than 3 bytes');
  });
});
