import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cgroupAt, isPopulated, readPids, setFrozen } from '../../src/host/cgroup.ts';
import { signalCgroup } from '../../src/host/cgroup-signal.ts';
import { processField } from '../e2e/kernel.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { pidOf, scratchCgroup, scratchFolder, start, startIn } from './rig.ts';

const SLEEP = 'exec sleep 1000';
const sorted = (pids: readonly number[]) => [...pids].sort((a, b) => a - b);

async function endOf(child: ChildProcess): Promise<unknown> {
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
  return child.signalCode;
}

test('reaches every process in the cgroup and below it, and nobody else', async () => {
  const cgroup = scratchCgroup();
  const inner = cgroupAt(join(cgroup, 'a'));
  mkdirSync(inner);
  const bystander = start('sleep', '1000');
  const children = [startIn(cgroup, SLEEP), startIn(inner, SLEEP), startIn(inner, SLEEP)];
  await waitFor(() => readPids(cgroup).length === 3, { what: 'three processes' });
  const { signalled, frozen } = await signalCgroup(cgroup, 'SIGTERM');
  expect(sorted(signalled)).toEqual(sorted(children.map(pidOf)));
  expect(frozen).toBe(true);
  for (const child of children) expect(await endOf(child)).toBe('SIGTERM');
  expect(readFileSync(join(cgroup, 'cgroup.freeze'), 'utf8')).toBe('0\n');
  expect(bystander.signalCode).toBe(null);
});

test('wakes a stopped process so that it can end', async () => {
  const cgroup = scratchCgroup();
  const child = startIn(cgroup, SLEEP);
  await waitFor(() => readPids(cgroup).length === 1, { what: 'a process' });
  child.kill('SIGSTOP');
  await waitFor(() => processField(pidOf(child), 'State')?.startsWith('T'), { what: 'its stop' });
  await signalCgroup(cgroup, 'SIGTERM');
  expect(await endOf(child)).toBe('SIGTERM');
});

test('leaves a process stopped that it was sent a stop', async () => {
  const cgroup = scratchCgroup();
  const child = startIn(cgroup, SLEEP);
  await waitFor(() => readPids(cgroup).length === 1, { what: 'a process' });
  await signalCgroup(cgroup, 'SIGSTOP');
  await waitFor(() => processField(pidOf(child), 'State')?.startsWith('T'), { what: 'its stop' });
  expect(child.exitCode).toBe(null);
});

test('wakes what the service froze itself, further down', async () => {
  const cgroup = scratchCgroup();
  const inner = cgroupAt(join(cgroup, 'a'));
  mkdirSync(inner);
  const child = startIn(inner, SLEEP);
  await waitFor(() => isPopulated(inner), { what: 'a process' });
  setFrozen(inner, true);
  await signalCgroup(cgroup, 'SIGTERM');
  expect(await endOf(child)).toBe('SIGTERM');
});

test('misses no child of a process that forks all the time', async () => {
  const cgroup = scratchCgroup();
  const child = startIn(cgroup, 'while :; do sleep 1000 & sleep 0.001; done');
  await waitFor(() => readPids(cgroup).length > 20, { what: 'children' });
  const { signalled } = await signalCgroup(cgroup, 'SIGTERM');
  // One of those that were counted may have been the short sleep.
  expect(signalled.length).toBeGreaterThanOrEqual(20);
  expect(await endOf(child)).toBe('SIGTERM');
  await waitFor(() => !isPopulated(cgroup), { what: 'an empty cgroup' });
});

test('does nothing to a cgroup that is empty or not there', async () => {
  const cgroup = scratchCgroup();
  const nobody = { signalled: [], frozen: false };
  expect(await signalCgroup(cgroup, 'SIGTERM')).toEqual(nobody);
  expect(await signalCgroup(cgroupAt(`${cgroup}/missing`), 'SIGTERM')).toEqual(nobody);
});

test.each([
  ['goes on after a while without those that will not freeze', 'frozen 0'],
  ['does not believe a flag that says frozen all the time', 'frozen 1'],
])('%s', async (_, flag) => {
  // A folder that looks like a cgroup with such a flag.
  const folder = scratchFolder();
  const child = start('sleep', '1000');
  writeFileSync(join(folder, 'cgroup.events'), `populated 1\n${flag}\n`);
  writeFileSync(join(folder, 'cgroup.freeze'), '0');
  writeFileSync(join(folder, 'cgroup.procs'), `${pidOf(child)}\n`);
  const { signalled, frozen } = await signalCgroup(cgroupAt(folder), 'SIGTERM');
  expect([signalled, frozen]).toEqual([[pidOf(child)], false]);
  expect(await endOf(child)).toBe('SIGTERM');
});
