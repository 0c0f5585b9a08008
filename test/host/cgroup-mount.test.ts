import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findCgroupMount, resolveCgroupRoot } from '../../src/host/cgroup-mount.ts';
import { cgroupMount } from '../e2e/kernel.ts';
import { errorOf, scratchCgroup, scratchFolder, start } from './rig.ts';

const V1 = 'cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0';

describe('finding the mount', () => {
  test.each([
    ['the usual one', 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n', '/sys/fs/cgroup'],
    [
      'one beside v1',
      `${V1}\nnone /sys/fs/cgroup/unified cgroup2 rw 0 0\n`,
      '/sys/fs/cgroup/unified',
    ],
    [
      'the usual one of two',
      'a /mnt cgroup2 rw 0 0\nb /sys/fs/cgroup cgroup2 rw 0 0\n',
      '/sys/fs/cgroup',
    ],
    ['one with a space in it', 'none /mnt/my\\040groups cgroup2 rw 0 0\n', '/mnt/my groups'],
    ['none where there is only v1', `${V1}\ntmpfs /cgroup2 tmpfs rw 0 0\n`, null],
    ['none in nothing', '', null],
  ])('finds %s', (_, mounts, expected) => {
    expect(findCgroupMount(mounts)).toBe(expected);
  });
});

describe('resolving cgroup.root', () => {
  test('takes the mounted hierarchy when nothing is configured', () => {
    expect(resolveCgroupRoot(null, 'any')).toBe(cgroupMount());
  });

  test('takes a cgroup as it is named', () => {
    const cgroup = scratchCgroup();
    expect(resolveCgroupRoot(cgroup, 'any')).toBe(cgroup);
  });

  test('takes the cgroup that the process is in for "self"', async () => {
    const cgroup = scratchCgroup();
    expect(await selfIn(cgroup)).toBe(cgroup);
  });

  test('takes for "self" what it was for the daemon that this one takes over from', async () => {
    const cgroup = scratchCgroup();
    const leaf = join(cgroup, 'any/daemon');
    mkdirSync(leaf, { recursive: true });
    expect(await selfIn(leaf)).toBe(cgroup);
  });

  test.each([
    ['a folder that is not there', () => '/nonexistent', 'No such file or directory'],
    ['a folder of another file system', scratchFolder, 'it is not cgroup v2'],
  ])('refuses %s', (_, root, why) => {
    const error = errorOf(() => resolveCgroupRoot(root(), 'any'));
    expect(error.code).toBe('invalid_config');
    expect(error.message).toContain(why);
  });
});

/** What "self" is for the instance `any` in a process of this cgroup. */
async function selfIn(cgroup: string): Promise<string> {
  const script = `
    import { resolveCgroupRoot } from '${join(import.meta.dirname, '../../src/host/cgroup-mount.ts')}';
    process.stdout.write(resolveCgroupRoot('self', 'any'));`;
  const enter = 'echo 0 >"$1" && exec "$2" --input-type=module -e "$3"';
  const args = [`${cgroup}/cgroup.procs`, process.execPath, script];
  const child = start('/bin/sh', '-c', enter, 'sh', ...args);
  let said = '';
  for await (const text of child.stdout ?? []) said += text;
  return said;
}
