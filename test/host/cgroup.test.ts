import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CgroupPath } from '../../src/host/cgroup.ts';
import {
  availableControllers,
  cgroupAt,
  cgroupState,
  createCgroup,
  enableControllers,
  enabledControllers,
  isFrozen,
  isPopulated,
  killCgroup,
  readPids,
  removeCgroup,
  setFrozen,
  writeControl,
} from '../../src/host/cgroup.ts';
import { isErrno } from '../../src/lib/errors.ts';
import { cgroupMount, isAlive } from '../e2e/kernel.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { errorOf, pidOf, scratchCgroup, scratchFolder, startIn } from './rig.ts';

const SLEEP = 'exec sleep 1000';

function nested(parent: CgroupPath, ...names: readonly string[]): CgroupPath {
  const path = cgroupAt(join(parent, ...names));
  mkdirSync(path, { recursive: true });
  return path;
}

const populated = (cgroup: CgroupPath) =>
  waitFor(() => isPopulated(cgroup), { what: `a process in ${cgroup}` });

describe('paths', () => {
  test.each(['relative/path', '/a/../b', '/a//b', '/a/', '/'])('refuses %s', (path) => {
    expect(errorOf(() => cgroupAt(path)).code).toBe('invalid_argument');
  });
});

describe('state', () => {
  test('is absent, empty and populated in turn', async () => {
    const cgroup = cgroupAt(`${scratchCgroup()}/one`);
    expect(cgroupState(cgroup)).toBe('absent');
    expect(isPopulated(cgroup)).toBe(false);
    createCgroup(cgroup);
    createCgroup(cgroup);
    expect(cgroupState(cgroup)).toBe('empty');
    startIn(cgroup, SLEEP);
    await populated(cgroup);
    expect(cgroupState(cgroup)).toBe('populated');
  });

  test('is populated by a process further down', async () => {
    const cgroup = scratchCgroup();
    startIn(nested(cgroup, 'a', 'b'), SLEEP);
    await populated(cgroup);
    expect(cgroupState(cgroup)).toBe('populated');
  });

  test('is unknown, not empty, where it cannot be read', () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'cgroup.events'));
    expect(errorOf(() => cgroupState(cgroupAt(folder))).code).toBe('io');
    const other = scratchFolder();
    writeFileSync(join(other, 'cgroup.events'), 'nonsense 1\n');
    expect(errorOf(() => cgroupState(cgroupAt(other))).code).toBe('io');
  });
});

describe('processes', () => {
  test('lists those in the cgroup and below it', async () => {
    const cgroup = scratchCgroup();
    const inner = nested(cgroup, 'a', 'b');
    const pids = [startIn(cgroup, SLEEP), startIn(inner, SLEEP)].map(pidOf);
    await waitFor(() => readPids(cgroup).length === 2, { what: 'two processes' });
    expect(readPids(cgroup).sort()).toEqual(pids.sort());
    expect(readPids(inner)).toEqual(pids.slice(1));
  });

  test('lists none where there is no cgroup', () => {
    expect(readPids(cgroupAt(`${scratchCgroup()}/missing`))).toEqual([]);
  });

  test('counts a process of a threaded cgroup once', async () => {
    const cgroup = scratchCgroup();
    const threaded = nested(cgroup, 'threads');
    writeControl(threaded, 'cgroup.type', 'threaded');
    const pid = pidOf(startIn(cgroup, SLEEP));
    await populated(cgroup);
    writeControl(threaded, 'cgroup.threads', String(pid));
    expect(readPids(cgroup)).toEqual([pid]);
  });
});

describe('killing and removing', () => {
  test('kills everything below, frozen or not, and again is no error', async () => {
    const cgroup = scratchCgroup();
    const pids = [startIn(cgroup, SLEEP), startIn(nested(cgroup, 'a'), SLEEP)].map(pidOf);
    await waitFor(() => readPids(cgroup).length === 2, { what: 'two processes' });
    setFrozen(cgroup, true);
    killCgroup(cgroup);
    await waitFor(() => !isPopulated(cgroup), { what: 'an empty cgroup' });
    await waitFor(() => !pids.some(isAlive), { what: 'their ends' });
    killCgroup(cgroup);
    expect(cgroupState(cgroup)).toBe('empty');
  });

  test('killing an absent cgroup is no error', () => {
    killCgroup(cgroupAt(`${scratchCgroup()}/missing`));
  });

  test('says so where the kernel cannot kill', () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'cgroup.events'), 'populated 1\nfrozen 0\n');
    expect(errorOf(() => killCgroup(cgroupAt(folder))).message).toContain('Linux 5.14');
  });

  test('removes a tree, and absent is removed', () => {
    const cgroup = nested(scratchCgroup(), 'tree');
    for (const names of [['a', 'b', 'c'], ['a', 'd'], ['e']]) nested(cgroup, ...names);
    expect(removeCgroup(cgroup)).toBe(true);
    expect(existsSync(cgroup)).toBe(false);
    expect(removeCgroup(cgroup)).toBe(true);
  });

  test('removes a tree too deep for recursion', () => {
    const cgroup = nested(scratchCgroup(), 'tree');
    let deepest: string = cgroup;
    for (let level = 0; level < 100; level += 1) {
      deepest = join(deepest, 'x');
      mkdirSync(deepest);
    }
    expect(readPids(cgroup)).toEqual([]);
    expect(removeCgroup(cgroup)).toBe(true);
  });

  test('does not remove what is populated', async () => {
    const cgroup = scratchCgroup();
    startIn(nested(cgroup, 'a'), SLEEP);
    await populated(cgroup);
    expect(removeCgroup(cgroup)).toBe(false);
    expect(existsSync(join(cgroup, 'a'))).toBe(true);
  });
});

describe('freezing', () => {
  test('holds a process and lets it run on', async () => {
    const cgroup = scratchCgroup();
    startIn(cgroup, SLEEP);
    await populated(cgroup);
    setFrozen(cgroup, true);
    await waitFor(() => isFrozen(cgroup), { what: 'frozen 1' });
    setFrozen(cgroup, false);
    await waitFor(() => !isFrozen(cgroup), { what: 'frozen 0' });
  });

  test('thaws what was frozen further down, too', async () => {
    const cgroup = scratchCgroup();
    const inner = nested(cgroup, 'a');
    startIn(inner, SLEEP);
    await populated(inner);
    setFrozen(inner, true);
    await waitFor(() => isFrozen(inner), { what: 'frozen 1' });
    setFrozen(cgroup, false);
    await waitFor(() => !isFrozen(inner), { what: 'frozen 0' });
  });

  test('of an absent cgroup is no error', () => {
    const missing = cgroupAt(`${scratchCgroup()}/missing`);
    setFrozen(missing, true);
    setFrozen(missing, false);
    expect(isFrozen(missing)).toBe(false);
  });
});

describe('control files', () => {
  test('are written', () => {
    const cgroup = scratchCgroup();
    writeControl(cgroup, 'cgroup.max.descendants', '7');
    expect(readFileSync(`${cgroup}/cgroup.max.descendants`, 'utf8')).toBe('7\n');
  });

  test('that are not there are an error that says what was to be written', () => {
    const cgroup = scratchCgroup();
    const error = errorOf(() => writeControl(cgroup, 'no.such', '7'));
    expect(error.code).toBe('io');
    expect(error.message).toContain(`cannot write '7' to '${cgroup}/no.such': `);
  });
});

describe('controllers', () => {
  test('that are refused are named with the reason', () => {
    const cgroup = scratchCgroup();
    const refused = enableControllers(cgroup, ['nonsense']);
    expect(refused.map(({ controller }) => controller)).toEqual(['nonsense']);
    expect(refused[0]?.reason).toContain(`'${cgroup}/cgroup.subtree_control' refuses it: `);
    expect(enabledControllers(cgroup)).toEqual([]);
  });

  test('that there are are enabled', () => {
    const mount = cgroupAt(cgroupMount());
    const before = enabledControllers(mount);
    onTestFinished(() => {
      for (const one of enabledControllers(mount)) if (!before.includes(one)) disable(mount, one);
    });
    const available = availableControllers(mount);
    const refused = enableControllers(mount, available).map(({ controller }) => controller);
    const expected = available.filter((controller) => !refused.includes(controller));
    expect([...enabledControllers(mount)].sort()).toEqual([...expected].sort());
  });
});

function disable(cgroup: CgroupPath, controller: string): void {
  try {
    writeControl(cgroup, 'cgroup.subtree_control', `-${controller}`);
  } catch (error) {
    // Somebody else uses it by now.
    if (!isErrno(error, 'EBUSY')) throw error;
  }
}
