import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Instance, startInstance } from './harness.ts';
import { cgroupPids, isAlive, readOr } from './kernel.ts';
import { waitFor } from './wait-for.ts';

/** Waits for a file, then says its last words and ends with a code. */
const ENDS = (code: number) =>
  `echo begun; while [ ! -e end ]; do sleep 0.02; done; echo "last words"; exit ${code}`;

const keeperOf = (instance: Instance) => cgroupPids(join(instance.cgroup, 'keeper'))[0] ?? 0;

test('what ended while no daemon was there is known to the next one', async () => {
  const instance = await startInstance();
  const onFailure = { restart_policy: { policy: 'on-failure', restart_backoff_ms: 60_000 } };
  const names = ['well', 'badly', 'once'];
  instance.defineScript('well', ENDS(0), onFailure);
  instance.defineScript('badly', ENDS(3), onFailure);
  instance.defineScript('once', ENDS(4), { restart_policy: { policy: 'never' } });
  const pids: number[] = [];
  for (const name of names) pids.push((await instance.phase(name, 'RUNNING')).main_pid ?? 0);

  await instance.endDaemon('SIGKILL');
  for (const name of names) writeFileSync(join(instance.folder(name), 'end'), '');
  for (const name of names) {
    await waitFor(() => instance.pidsOf(name).length === 0, { what: `${name} to end` });
  }
  const isNoted = () => pids.every((pid) => readOr(`/proc/${pid}/stat`, '') === '');
  await waitFor(isNoted, { what: 'the keeper to have seen it' });
  const endedByMs = Date.now();
  await instance.start();

  expect(await instance.phase('well', 'STOPPED')).toMatchObject({ last_exit_code: 0, run: 1 });
  expect(await instance.phase('badly', 'BACKOFF')).toMatchObject({ last_exit_code: 3, run: 1 });
  expect(await instance.phase('once', 'FAILED')).toMatchObject({ last_exit_code: 4, run: 1 });
  for (const name of names) {
    const atMs = (await instance.status(name))?.last_exit?.at_ms;
    expect(atMs).toBeLessThanOrEqual(endedByMs);
    const log = readOr(join(instance.folder(name), 'logs/stdout.log'), '');
    expect(log).toBe('begun\nlast words\n');
  }
});

test('a keeper that is killed is replaced, and no service notices', async () => {
  const instance = await startInstance();
  instance.defineScript('counter', 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.02; done');
  const log = () => readOr(join(instance.folder('counter'), 'logs/stdout.log'), '');
  const { main_pid } = await instance.phase('counter', 'RUNNING');
  await waitFor(() => log().includes('line 10\n'), { what: 'ten lines' });
  const keeper = keeperOf(instance);

  process.kill(keeper, 'SIGKILL');
  await waitFor(() => ![0, keeper].includes(keeperOf(instance)), { what: 'another keeper' });
  const seen = log().length;
  await waitFor(() => log().length > seen + 200, { what: 'more lines' });

  expect(await instance.phase('counter', 'RUNNING')).toMatchObject({ main_pid, run: 1 });
  const { stdout } = await instance.pmctl('events');
  expect(stdout).toContain('keeper.lost');
  // Its end is noticed as before, and it is started by the new keeper.
  process.kill(main_pid ?? 0, 'SIGKILL');
  await waitFor(async () => (await instance.status('counter'))?.run === 2, { what: 'a new run' });
});

test('a keeper that is stuck is replaced, and what waited for it goes on', async () => {
  const instance = await startInstance();
  instance.defineScript('sleeper', 'exec sleep 1000');
  const { main_pid } = await instance.phase('sleeper', 'RUNNING');
  const keeper = keeperOf(instance);

  process.kill(keeper, 'SIGSTOP');
  instance.defineScript('late', 'exec sleep 1000');
  await instance.phase('late', 'RUNNING', 50_000);

  expect(isAlive(keeper)).toBe(false);
  expect(await instance.phase('sleeper', 'RUNNING')).toMatchObject({ main_pid, run: 1 });
}, 60_000);

test('a service that cannot be started for want of a keeper has not run, and starts when there is one', async () => {
  const instance = new Instance();
  const keeper = join(await instance.installDaemon(), 'keeper');
  await instance.start();
  renameSync(keeper, `${keeper}.away`);
  process.kill(keeperOf(instance), 'SIGKILL');
  const isLost = async () => (await instance.pmctl('events')).stdout.includes('keeper.lost');
  await waitFor(isLost, { what: 'the loss of the keeper to be known', deadlineMs: 20_000 });

  instance.defineScript('once', 'exec sleep 1000', { restart_policy: { policy: 'never' } });
  const eventsOf = async (kind: string) =>
    (await instance.events('once')).filter((event) => event.kind === kind);
  const isRefused = async () => (await eventsOf('service.action-failed')).length === 1;
  await waitFor(isRefused, { what: 'the start to fail', deadlineMs: 20_000 });
  expect(await instance.status('once')).toMatchObject({ run: null, restarts_10m: 0 });
  renameSync(`${keeper}.away`, keeper);

  const { run } = await instance.phase('once', 'RUNNING', 50_000);
  expect(run).toBe(1);
  expect(await eventsOf('service.starting')).toHaveLength(1);
}, 90_000);

test('a defect in the keeper is written down and costs no service anything', async () => {
  const instance = new Instance();
  const keeper = join(await instance.installDaemon(), 'keeper');
  const defect = `process.on('SIGWINCH',()=>{throw new Error('a defect')});`;
  const code = readFileSync(keeper, 'utf8');
  writeFileSync(
    keeper,
    code.replace("'use strict';", (start) => start + defect),
  );
  await instance.start();
  instance.defineScript('sleeper', 'exec sleep 1000');
  const { main_pid } = await instance.phase('sleeper', 'RUNNING');
  const pid = keeperOf(instance);
  const said = () => readOr(join(instance.root, 'run/keeper.log'), '');

  process.kill(pid, 'SIGWINCH');
  await waitFor(() => said().includes('a defect'), { what: 'the defect to be written down' });
  expect((await instance.pmctl('restart', 'sleeper')).code).toBe(0);

  expect(keeperOf(instance)).toBe(pid);
  expect((await instance.phase('sleeper', 'RUNNING')).main_pid).not.toBe(main_pid);
});

test('the keeper ends with the last service', async () => {
  const instance = await startInstance();
  instance.defineScript('sleeper', 'exec sleep 1000');
  await instance.phase('sleeper', 'RUNNING');
  const keeper = keeperOf(instance);
  expect(isAlive(keeper)).toBe(true);

  expect(await instance.endDaemon('SIGTERM')).toBe(0);

  expect(isAlive(keeper)).toBe(false);
});

test('a signal for the whole group of the daemon does not take the keeper along', async () => {
  const instance = await startInstance();
  instance.defineScript('sleeper', 'exec sleep 1000');
  const { main_pid } = await instance.phase('sleeper', 'RUNNING');
  const keeper = keeperOf(instance);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(keeper, signal);
  await instance.pmctl('restart', 'sleeper');
  expect(keeperOf(instance)).toBe(keeper);
  expect((await instance.phase('sleeper', 'RUNNING')).main_pid).not.toBe(main_pid);
});
