import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

test('a stop with an end comes back by itself, and says why until when', async () => {
  const instance = await startInstance();
  instance.defineScript('worker', 'exec sleep 1000');
  const [first = 0] = await instance.running('worker', 1);
  await instance.phase('worker', 'RUNNING');

  const askedAtMs = Date.now();
  const stopped = await instance.pmctl('stop', 'worker', '--for', '4s', '--reason', 'new disk');
  expect(stopped).toMatchObject({ code: 0, stderr: '' });
  expect(stopped.stdout).toMatch(/^worker: stopped: 1 process .*; until \d{4}-/);
  const status = await instance.phase('worker', 'STOPPED');
  expect(status).toMatchObject({ stopped_by: 'local', stopped_reason: 'new disk' });
  expect(status.stopped_until_ms).toBeGreaterThanOrEqual(askedAtMs + 4_000);
  expect(status.stopped_until_ms).toBeLessThan(askedAtMs + 14_000);
  const condition = status.conditions.find(({ type }) => type === 'StoppedByOperator');
  expect(condition?.message).toMatch(
    /^stopped by local at \d{4}-[-\d: ]+: new disk; until \d{4}-[-\d: ]+; pmctl start/,
  );
  expect((await instance.pmctl('status', 'worker')).stdout).toMatch(
    /stopped by +local \(until [-\d: ]+\): new disk\n/,
  );

  const [second = 0] = await instance.running('worker', 1);
  expect(second).not.toBe(first);
  expect(Date.now()).toBeGreaterThanOrEqual(askedAtMs + 4_000);
  const back = await instance.phase('worker', 'RUNNING');
  expect(back).toMatchObject({ run: 2, stopped_by: null, stopped_reason: null });
  expect(back.system_flags).toEqual(['system_start']);
  const events = await instance.events('worker');
  expect(events.find(({ kind }) => kind === 'operator.stop')).toMatchObject({
    actor: 'local',
    message: 'stop requested by local for 4s: new disk',
    data: { reason: 'new disk', for_ms: 4_000 },
  });
  const over = events.filter(({ kind }) => kind === 'intent.expired');
  expect(over.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^the stop by local of \d{4}-[-\d: ]+ is over$/),
  ]);
});

test('a stop with an end outlives the daemon, and ends all the same', async () => {
  const instance = await startInstance();
  instance.defineScript('long', 'exec sleep 1000');
  instance.defineScript('short', 'exec sleep 1000');
  for (const name of ['long', 'short']) await instance.running(name, 1);
  expect((await instance.pmctl('stop', 'long', '--for', '365d')).code).toBe(0);
  expect((await instance.pmctl('stop', 'short', '--for', '8s')).code).toBe(0);
  const before = await instance.status('short');

  await instance.endDaemon('SIGKILL');
  await instance.start();

  const after = await instance.phase('short', 'STOPPED');
  expect(after.stopped_until_ms).toBe(before?.stopped_until_ms);
  await instance.phase('short', 'RUNNING', 20_000);
  expect((await instance.status('long'))?.phase).toBe('STOPPED');
  const told = async () => (await instance.events('short')).map(({ kind }) => kind);
  expect((await told()).filter((kind) => kind === 'intent.expired')).toHaveLength(1);

  // Gone for good: the next daemon neither finds nor tells it again.
  await instance.endDaemon('SIGKILL');
  await instance.start();
  await instance.phase('short', 'RUNNING');
  expect((await told()).filter((kind) => kind === 'intent.expired')).toHaveLength(1);
});

test('a start supersedes a stop with an end, which then says nothing more', async () => {
  const instance = await startInstance();
  instance.defineScript('worker', 'exec sleep 1000');
  await instance.running('worker', 1);
  expect((await instance.pmctl('stop', 'worker', '--for', '3s', '--no-wait')).code).toBe(0);
  expect((await instance.pmctl('start', 'worker', '--reason', 'it is back')).code).toBe(0);
  const [pid = 0] = await instance.running('worker', 1);
  const askedAtMs = performance.now();
  await waitFor(() => performance.now() - askedAtMs > 3_500, { what: 'the end of the stop' });
  expect(instance.pidsOf('worker')).toEqual([pid]);
  const events = await instance.events('worker');
  expect(events.map(({ kind }) => kind)).not.toContain('intent.expired');
  expect(events.find(({ kind }) => kind === 'operator.start')?.data.reason).toBe('it is back');
});

test('a disabled service is disabled again after it', async () => {
  const instance = await startInstance();
  instance.defineScript('off', 'exec sleep 1000', { global: { enabled: false } });
  await instance.phase('off', 'DISABLED');
  const stopped = await instance.pmctl('stop', 'off', '--for', '2s');
  expect(stopped).toMatchObject({ code: 0 });
  expect(stopped.stdout).toMatch(/^off: already stopped; until /);
  await instance.phase('off', 'DISABLED');
  expect(instance.pidsOf('off')).toEqual([]);
});

test.each([
  ['start', ['start', 'web', '--for', '2h'], "cannot use '--for': start has no such option"],
  ['restart', ['restart', 'web', '--for', '2h'], "cannot use '--for': restart has no such option"],
  ['too short', ['stop', 'web', '--for', '10ms'], 'expected a time from 1s to 365d'],
  ['no time', ['stop', 'web', '--for', 'ever'], 'expected a duration'],
  ['control characters', ['stop', 'web', '--reason', 'a\u001b[2J'], 'without control characters'],
])('misuse is said before anything is asked: %s', async (_, args, said) => {
  const instance = await startInstance();
  const { code, stderr } = await instance.pmctl(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
});
