import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { cgroupPids, isAlive } from './kernel.ts';
import { NestedInstance } from './nested-instance.ts';
import { program } from './programs.ts';
import { waitFor } from './wait-for.ts';

const DEADLINE_MS = 30_000;

/** One instance in a service of another, three deep; the innermost runs `sleeper`. */
async function threeDeep() {
  const outer = await startInstance();
  const middleCgroup = join(outer.cgroupOf('middle'), 'second');
  const middle = new NestedInstance(
    outer.folder('middle'),
    `root: ${outer.cgroupOf('middle')}, name: second`,
  );
  const inner = new NestedInstance(outer.folder('inner'), 'root: self, name: third');
  inner.defineScript('sleeper', 'exec sleep 1000');
  middle.define('inner', await inner.definition());
  outer.define('middle', JSON.stringify(await middle.definition()));
  const running = async () => (await inner.pidsOf('sleeper')).length === 1;
  await waitFor(running, { what: 'the innermost service', deadlineMs: DEADLINE_MS });
  const sleeperCgroup = join(middleCgroup, 'pm-inner/third/pm-sleeper');
  return { outer, middle, inner, sleeperCgroup };
}

test('an instance runs in a service of another, three deep, and the outermost stop ends all', async () => {
  const { outer, middle, inner, sleeperCgroup } = await threeDeep();
  const [pid = 0] = await inner.pidsOf('sleeper');
  expect(cgroupPids(sleeperCgroup)).toEqual([pid]);
  // Each sees what is its own, and the outermost all of it.
  expect((await middle.pidsOf('inner')).length).toBeGreaterThanOrEqual(3);
  expect(outer.pidsOf('middle')).toContain(pid);

  const { code, stdout } = await outer.pmctl('stop', 'middle');
  expect(code).toBe(0);
  // By themselves: each daemon has stopped its own.
  expect(stdout).toContain('0 killed');
  expect(isAlive(pid)).toBe(false);
  await outer.gone('middle');
  expect((await outer.pmctl('start', 'middle')).code).toBe(0);
  const isBack = async () => (await inner.pidsOf('sleeper')).length === 1;
  await waitFor(isBack, { what: 'all to be back', deadlineMs: DEADLINE_MS });
}, 120_000);

test('a nested daemon that is killed costs nothing: the next one adopts what runs', async () => {
  const { outer, inner, sleeperCgroup, middle } = await threeDeep();
  const [sleeper = 0] = await inner.pidsOf('sleeper');
  const { main_pid } = await outer.phase('middle', 'RUNNING');
  process.kill(main_pid ?? 0, 'SIGKILL');
  const isNoticed = async () =>
    (await outer.pmctl('events', 'middle')).stdout.includes('service.main-exited');
  await waitFor(isNoticed, { what: 'the end of the nested daemon to be seen' });
  expect((await outer.status('middle'))?.phase).toBe('RUNNING');
  expect(cgroupPids(sleeperCgroup)).toEqual([sleeper]);

  // As an administrator does it; it goes into its own cgroup by itself.
  const next = spawn(await program('processmaster'), ['-c', middle.configFile], {
    stdio: 'ignore',
  });
  const answers = async () => (await middle.pidsOf('inner')).length >= 3;
  await waitFor(answers, { what: 'the next nested daemon', deadlineMs: DEADLINE_MS });
  expect(await inner.pidsOf('sleeper')).toEqual([sleeper]);
  expect(outer.pidsOf('middle')).toContain(next.pid);

  const ended = once(next, 'exit');
  expect((await outer.pmctl('stop', 'middle')).code).toBe(0);
  await ended;
  expect(isAlive(sleeper)).toBe(false);
}, 120_000);
