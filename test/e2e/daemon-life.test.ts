import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { cgroupPids, isAlive, readOr } from './kernel.ts';
import { waitFor } from './wait-for.ts';

/** Prints numbered lines and keeps the newest number in a file. */
const COUNTER =
  'i=0; while [ ! -e enough ]; do i=$((i+1)); echo "line $i"; echo $i > count.tmp; mv count.tmp count; sleep 0.002; done; exec sleep 1000';

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s stops every service and leaves nothing behind',
  async (signal) => {
    const instance = await startInstance();
    instance.defineScript('willing', 'exec sleep 1000');
    instance.defineScript('forks', 'for i in 1 2 3; do ( ( exec sleep 1000 ) & ); done');
    instance.defineScript('stubborn', 'trap "" TERM; sleep 1000; sleep 1000', {
      process: { stop_grace_period_ms: 300 },
    });
    instance.defineScript('waiting', 'exit 1', { restart_policy: { restart_backoff_ms: 60_000 } });
    const pids = [
      ...(await instance.running('willing', 1)),
      ...(await instance.running('forks', 3)),
      ...(await instance.running('stubborn', 2)),
    ];
    await instance.phase('waiting', 'BACKOFF');

    const code = await instance.endDaemon(signal);

    expect(code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(instance.cgroup)).toBe(false);
    expect(existsSync(instance.socket)).toBe(false);
  },
);

test('services outlive a killed daemon, and the next one goes on with them', async () => {
  const instance = await startInstance();
  const folder = instance.folder('counter');
  const log = join(folder, 'logs/stdout.log');
  const count = () => Number(readOr(join(folder, 'count'), '0'));
  instance.defineScript('counter', COUNTER, { process: { working_directory: folder } });
  instance.defineScript('forks', 'for i in 1 2 3; do ( ( exec sleep 1000 ) & ); done');
  instance.defineScript('victim', 'exec sleep 1000', {
    restart_policy: { restart_backoff_ms: 50 },
  });
  await waitFor(() => readOr(log, '').includes('line 100\n'), { what: 'a hundred lines' });
  const pids = () => [...instance.pidsOf('counter'), ...instance.pidsOf('forks')];
  const [shell = 0] = instance.pidsOf('counter');
  const forks = await instance.running('forks', 3);
  const [victim = 0] = await instance.running('victim', 1);
  await instance.phase('counter', 'RUNNING');
  await instance.phase('forks', 'RUNNING');
  const runBefore = (await instance.phase('victim', 'RUNNING')).run;

  await instance.endDaemon('SIGKILL');
  const countThen = count();
  process.kill(victim, 'SIGKILL');
  await waitFor(() => count() > countThen + 100, { what: 'the service to go on alone' });
  await instance.start();

  const adopted = await instance.phase('counter', 'RUNNING');
  expect(adopted.run).toBe(1);
  expect(adopted.main_pid).toBe(shell);
  expect(pids()).toEqual(expect.arrayContaining([shell, ...forks]));
  const [nextVictim = 0] = await instance.running('victim', 1);
  expect(nextVictim).not.toBe(victim);
  expect((await instance.phase('victim', 'RUNNING')).run).toBe((runBefore ?? 0) + 1);

  const countAfter = count();
  await waitFor(() => count() > countAfter + 100, { what: 'more lines' });
  expect((await instance.pmctl('stop', 'counter')).code).toBe(0);
  const last = count();
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  // Stopped between the line and the note of its number.
  expect(lines.length - last).toBeOneOf([0, 1]);
  expect(lines).toEqual(lines.map((_, index) => `line ${index + 1}`));
});

test('an operator stop holds across a restart of the daemon', async () => {
  const instance = await startInstance();
  instance.defineScript('quiet', 'exec sleep 1000');
  await instance.running('quiet', 1);
  expect((await instance.pmctl('stop', 'quiet')).code).toBe(0);

  await instance.endDaemon('SIGKILL');
  await instance.start();

  const status = await instance.phase('quiet', 'STOPPED');
  expect(status.system_flags).toContain('user_stop');
  expect(cgroupPids(instance.cgroupOf('quiet'))).toEqual([]);
});
