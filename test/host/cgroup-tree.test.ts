import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createCgroup, readPids } from '../../src/host/cgroup.ts';
import { CgroupTree } from '../../src/host/cgroup-tree.ts';
import { cgroupMount } from '../e2e/kernel.ts';
import { errorOf, scratchCgroup, startIn } from './rig.ts';

const options = { name: 'instance', allowSubtreeControl: true };

function ownCgroup(): string {
  return /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '';
}

/** The tree moves this very process; it goes home before the cgroup is removed. */
function rootWithin(): string {
  const root = scratchCgroup();
  const home = ownCgroup();
  onTestFinished(() => writeFileSync(join(cgroupMount(), home, 'cgroup.procs'), '0'));
  return root;
}

test('puts the daemon into a leaf of its own and leaves the instance without processes', () => {
  const root = rootWithin();
  CgroupTree.open({ ...options, root });
  expect(join(cgroupMount(), ownCgroup())).toBe(`${root}/instance/daemon`);
  expect(readFileSync(`${root}/instance/cgroup.procs`, 'utf8')).toBe('');
});

test('opens what is there already, also from within', () => {
  const root = rootWithin();
  CgroupTree.open({ ...options, root });
  const again = CgroupTree.open({ ...options, root });
  expect(again.instancePath).toBe(`${root}/instance`);
});

test('opens below the cgroup that the daemon was started in', () => {
  const root = rootWithin();
  writeFileSync(join(root, 'cgroup.procs'), '0');
  CgroupTree.open({ ...options, root });
  expect(readFileSync(`${root}/cgroup.procs`, 'utf8')).toBe('');
});

test('names the cgroups of services and stop commands, and lists the services', () => {
  const root = rootWithin();
  const tree = CgroupTree.open({ ...options, root });
  expect(tree.service('web')).toBe(`${root}/instance/pm-web`);
  expect(tree.stopCommand('web')).toBe(`${root}/instance/stop-web`);
  expect(tree.serviceNames()).toEqual([]);
  for (const path of [tree.service('web'), tree.service('a.b'), tree.stopCommand('web')]) {
    createCgroup(path);
  }
  mkdirSync(`${root}/instance/pm-web/inner`);
  mkdirSync(`${root}/instance/other`);
  expect(tree.serviceNames().sort()).toEqual(['a.b', 'web']);
});

test.each(['', '.', '..', '../x', 'a/b', '/etc', '-x', '.hidden', 'a b', 'a\n', 'x'.repeat(65)])(
  'gives no path for %j',
  (name) => {
    const tree = CgroupTree.open({ ...options, root: rootWithin() });
    expect(errorOf(() => tree.service(name)).code).toBe('invalid_argument');
    expect(errorOf(() => tree.stopCommand(name)).code).toBe('invalid_argument');
  },
);

test.each(['..', 'a/b', ''])('opens no instance with the name %j', (name) => {
  const root = rootWithin();
  const error = errorOf(() => CgroupTree.open({ root, name, allowSubtreeControl: true }));
  expect(error.code).toBe('invalid_argument');
});

test('names each controller that services will not get, with the reason', () => {
  const root = rootWithin();
  const offered = readFileSync(`${root}/cgroup.controllers`, 'utf8').split(/\s+/);
  const tree = CgroupTree.open({ ...options, root });
  const missing = ['cpu', 'io', 'memory', 'pids'].filter((one) => !offered.includes(one));
  expect(tree.missingControllers.map(({ controller }) => controller).sort()).toEqual(missing);
  for (const { reason } of tree.missingControllers) expect(reason).toContain(`'${root}'`);
});

test('leaves controllers alone where it may not touch them, and says so', () => {
  const root = rootWithin();
  const tree = CgroupTree.open({ ...options, root, allowSubtreeControl: false });
  expect(readFileSync(`${root}/cgroup.subtree_control`, 'utf8').trim()).toBe('');
  expect(tree.missingControllers.length).toBe(4);
  for (const { reason } of tree.missingControllers) {
    expect(reason).toBe('cgroup.subtree_control_allow is false');
  }
});

test('goes back and removes everything at the end, once and again', () => {
  const root = rootWithin();
  const tree = CgroupTree.open({ ...options, root });
  expect(tree.close()).toBe(true);
  expect(join(cgroupMount(), ownCgroup())).toBe(root);
  expect(existsSync(`${root}/instance`)).toBe(false);
  expect(tree.close()).toBe(true);
});

test('leaves services that run on in place at the end', () => {
  const root = rootWithin();
  const tree = CgroupTree.open({ ...options, root });
  createCgroup(tree.service('web'));
  startIn(tree.service('web'), 'exec sleep 1000');
  expect(tree.close()).toBe(false);
  expect(existsSync(tree.service('web'))).toBe(true);
  expect(readPids(tree.instancePath)).not.toContain(process.pid);
});
