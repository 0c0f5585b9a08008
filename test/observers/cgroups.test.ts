import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCgroup, killCgroup, removeCgroup, writeControl } from '../../src/host/cgroup.ts';
import { resolveCgroupRoot } from '../../src/host/cgroup-mount.ts';
import { CgroupTree } from '../../src/host/cgroup-tree.ts';
import { readProcess } from '../../src/host/process-info.ts';
import { EMPTY_HISTORY, type History } from '../../src/model/history.ts';
import type { CgroupObservation } from '../../src/model/observation.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import { CgroupEvents } from '../../src/observers/cgroup-events.ts';
import { isUnchanged, observeService } from '../../src/observers/observe-service.ts';
import { relist } from '../../src/observers/relist.ts';
import { activeHistory, at, exited, run, stopProgress } from '../builders/situations.ts';
import { name, WEB } from '../builders/specs.ts';

const DEADLINE_MS = 10_000;
const NOT_OURS = {
  isLauncherAlive: () => false,
  hasLaunched: () => false,
  isLogCaptured: () => true,
  isBeingProvisioned: () => false,
};
let instances = 0;

describe('what is observed of cgroups', () => {
  let tree: CgroupTree;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    instances += 1;
    const instance = `pmtest-observers-${process.pid}-${instances}`;
    tree = CgroupTree.open({
      root: resolveCgroupRoot(null, 'any'),
      name: instance,
      allowSubtreeControl: true,
    });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const each of tree.serviceNames()) {
      killCgroup(tree.service(each));
      await until(() => removeCgroup(tree.service(each)));
    }
    await until(() => tree.close());
  });

  /** A sleeping process in the service's cgroup. */
  function sleeper(service: ServiceName): number {
    const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
    children.push(child);
    const path = tree.service(service);
    createCgroup(path);
    if (child.pid === undefined) throw new Error('sleep could not be started');
    writeControl(path, 'cgroup.procs', String(child.pid));
    return child.pid;
  }

  const observe = (history: History, now = at(0)) =>
    observeService(tree, NOT_OURS, { name: WEB, history, spec: null }, now.monotonicMs);

  it('an absent, an empty and a populated cgroup are told apart', () => {
    expect(observe(EMPTY_HISTORY).cgroup).toEqual({ kind: 'absent' });
    createCgroup(tree.service(WEB));
    expect(observe(EMPTY_HISTORY).cgroup).toEqual({ kind: 'empty' });
    const pid = sleeper(WEB);
    expect(observe(EMPTY_HISTORY).cgroup).toEqual({ kind: 'populated', pids: [pid] });
  });

  it('pids of cgroups that the service made itself are the service, too', () => {
    const outer = sleeper(WEB);
    const inner = sleeper(name('other'));
    const nested = tree.service(WEB).concat('/nested/deeper');
    createCgroup(tree.service(WEB).concat('/nested') as never);
    createCgroup(nested as never);
    writeControl(nested as never, 'cgroup.procs', String(inner));
    const { cgroup } = observe(EMPTY_HISTORY);
    expect(cgroup.kind === 'populated' ? [...cgroup.pids].sort() : []).toEqual(
      [outer, inner].sort(),
    );
  });

  it('a look whether anything changed sees processes that came, went or moved below', () => {
    expect(isUnchanged(tree, WEB, { kind: 'absent' })).toBe(true);
    const first = sleeper(WEB);
    expect(isUnchanged(tree, WEB, { kind: 'absent' })).toBe(false);
    const shown = { kind: 'populated', pids: [first] } as const;
    expect(isUnchanged(tree, WEB, shown)).toBe(true);
    const second = sleeper(WEB);
    expect(isUnchanged(tree, WEB, shown)).toBe(false);
    expect(isUnchanged(tree, WEB, { kind: 'populated', pids: [second, first] })).toBe(true);
    const nested = tree.service(WEB).concat('/nested') as never;
    createCgroup(nested);
    writeControl(nested, 'cgroup.procs', String(second));
    expect(isUnchanged(tree, WEB, { kind: 'populated', pids: [second, first] })).toBe(false);
    expect(isUnchanged(tree, name('never'), shown)).toBe(false);
  });

  it('a single process left by a launched one that ended well is the leader', () => {
    const pid = sleeper(WEB);
    const forked = activeHistory({ launchedExit: exited(0), launchedExitAt: at(0) });
    expect(observe(forked).leader).toMatchObject({ pid });
    sleeper(WEB);
    expect(observe(forked).leader).toBeNull();
  });

  it('a process that an earlier daemon launched a moment ago is on its way', async () => {
    const unknown = activeHistory({ main: null, run: run({ launchedAt: at(0) }) });
    expect(observe(unknown, at(2_000)).launcherAlive).toBe(true);
    expect(observe(unknown, at(2_001)).launcherAlive).toBe(false);
    expect(observe({ ...unknown, launchedExit: exited(0) }).launcherAlive).toBe(false);
    const pid = sleeper(name('other'));
    const startTicks = readProcess(pid)?.startTicks ?? Number.NaN;
    const launched = { ...unknown, main: { pid, startTicks } };
    expect(observe(launched, at(10_000)).launcherAlive).toBe(true);
    expect(observe(launched, at(10_001)).launcherAlive).toBe(false);
    expect(observe({ ...unknown, main: { pid, startTicks: startTicks + 1 } }).launcherAlive).toBe(
      false,
    );
    sleeper(WEB);
    expect(observe(launched).launcherAlive).toBe(false);
  });

  it('a zombie is not on its way', async () => {
    // The shell becomes a program that never asks after its child, before that ends.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(parent);
    const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
    await until(() => readProcess(pid)?.state === 'Z');
    const main = { pid, startTicks: readProcess(pid)?.startTicks ?? Number.NaN };
    expect(observe(activeHistory({ main, run: run({ launchedAt: at(0) }) })).launcherAlive).toBe(
      false,
    );
  });

  it('a stop command is looked for only while a stop is under way', async () => {
    const stopping = activeHistory({ stop: stopProgress() });
    expect(observe(stopping).stopCommandRuns).toBe(false);
    const path = tree.stopCommand(WEB);
    createCgroup(path);
    writeControl(path, 'cgroup.procs', String(sleeper(name('other'))));
    expect(observe(stopping).stopCommandRuns).toBe(true);
    expect(observe(activeHistory()).stopCommandRuns).toBe(false);
    killCgroup(path);
    await until(() => removeCgroup(path));
  });

  it('each change of a watched cgroup is told, also after it was made anew', async () => {
    const told: ServiceName[] = [];
    const events = new CgroupEvents(
      tree,
      (changed) => told.push(changed),
      () => {},
    );
    createCgroup(tree.service(WEB));
    events.watch(WEB);
    for (const _time of ['first', 'made anew']) {
      told.length = 0;
      sleeper(WEB);
      await until(() => told.length > 0);
      told.length = 0;
      killCgroup(tree.service(WEB));
      await until(() => told.length > 0 && observe(EMPTY_HISTORY).cgroup.kind === 'empty');
      await until(() => removeCgroup(tree.service(WEB)));
      createCgroup(tree.service(WEB));
      events.watch(WEB);
    }
    events.close();
    expect(events.isDegraded).toBe(false);
  });

  it('a relist names what differs from what is shown, and what nobody knows', () => {
    sleeper(WEB);
    createCgroup(tree.service(name('idle')));
    const shown = (kind: 'absent' | 'empty'): CgroupObservation => ({ kind });
    const wrong = new Map([
      [WEB, shown('empty')],
      [name('idle'), shown('empty')],
      [name('gone'), shown('empty')],
    ]);
    expect([...relist(tree, wrong)].sort()).toEqual(['gone', 'web']);
    expect([...relist(tree, new Map())].sort()).toEqual(['idle', 'web']);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!isSo()) {
    if (performance.now() > deadlineMs) throw new Error('it did not come true in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
