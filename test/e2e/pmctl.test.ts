import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { isAlive } from './kernel.ts';
import { waitFor } from './wait-for.ts';

test('start, stop and restart do what they say and return when it is so', async () => {
  const instance = await startInstance();
  instance.defineScript('job', 'exec sleep 1000');
  const [first = 0] = await instance.running('job', 1);
  await instance.phase('job', 'RUNNING');

  const restarted = await instance.pmctl('restart', 'job');
  expect(restarted.code).toBe(0);
  expect(isAlive(first)).toBe(false);
  const [second = 0] = instance.pidsOf('job');
  expect(restarted.stdout).toContain(String(second));

  const stopped = await instance.pmctl('stop', 'job');
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('1 process ended') });
  expect(isAlive(second)).toBe(false);
  expect((await instance.status('job'))?.system_flags).toContain('user_stop');

  expect((await instance.pmctl('update')).code).toBe(0);
  expect(instance.pidsOf('job')).toEqual([]);

  expect((await instance.pmctl('start', 'job')).code).toBe(0);
  expect(instance.pidsOf('job')).toHaveLength(1);
  expect((await instance.pmctl('stop', 'all')).code).toBe(0);
  expect(instance.pidsOf('job')).toEqual([]);
});

test('a disabled service runs only when it is forced on', async () => {
  const instance = await startInstance();
  instance.defineScript('off', 'exec sleep 1000', { global: { enabled: false } });
  await instance.phase('off', 'DISABLED');

  const refused = await instance.pmctl('start', 'off');
  expect(refused.code).not.toBe(0);
  expect(refused.stdout + refused.stderr).toContain('--force');
  expect(instance.pidsOf('off')).toEqual([]);

  expect((await instance.pmctl('start', 'off', '--force')).code).toBe(0);
  expect(instance.pidsOf('off')).toHaveLength(1);
});

test('what it prints is JSON when asked for', async () => {
  const instance = await startInstance();
  instance.defineScript('talk', 'echo to stdout; echo to stderr >&2; exec sleep 1000');
  const pids = await instance.running('talk', 1);
  await instance.phase('talk', 'RUNNING');

  const [status] = JSON.parse((await instance.pmctl('status', 'talk', '-o', 'json')).stdout);
  expect(status).toMatchObject({
    application: 'talk',
    enabled: true,
    running: true,
    actual: 'RUNNING',
    phase: 'RUNNING',
    pids,
    working_directory: instance.folder('talk'),
    provisioning_defined: false,
    source_file: join(instance.configDirectory, 'talk.yaml'),
    last_exit_code: null,
    restarts_10m: 0,
  });
  const events = (await instance.events('talk')).map(({ kind }) => kind);
  expect(events).toEqual(expect.arrayContaining(['definition.accepted', 'service.starting']));
  for (const command of ['version', 'server-version']) {
    const { code, stdout } = await instance.pmctl(command, '--format', 'json');
    expect([code, JSON.stringify(JSON.parse(stdout))]).toEqual([
      0,
      expect.stringContaining('0.1.0'),
    ]);
  }
  const logs = async () => {
    const { stdout } = await instance.pmctl('logs', 'talk', '--format', 'json');
    return JSON.stringify(JSON.parse(stdout)).includes('to stderr') ? stdout : null;
  };
  expect(await waitFor(logs, { what: 'the output of talk' })).toContain('to stdout');
});

test('its exit code tells what went wrong', async () => {
  const instance = await startInstance();
  const code = async (...args: string[]) => (await instance.pmctl(...args)).code;

  expect(await code('status', 'nobody')).toBe(4);
  expect(await code('start', 'nobody')).toBe(4);
  expect(await code('logs', 'nobody')).toBe(4);
  expect(await code('start')).toBe(2);
  expect(await code('no-such-command')).toBe(2);
  expect(await code('status', '--no-such-option')).toBe(2);
  expect(await code('status')).toBe(0);
  expect(await code('--sock', '/nonexistent/socket', 'status')).toBe(5);
});

test('a wait that takes too long ends with a code of its own while the stop goes on', async () => {
  const instance = await startInstance();
  instance.defineScript('slow', 'trap "" TERM; sleep 1000; sleep 1000', {
    process: { stop_grace_period_ms: 1_500 },
  });
  await instance.running('slow', 2);
  await instance.phase('slow', 'RUNNING');

  expect((await instance.pmctl('stop', 'slow', '--timeout', '100ms')).code).toBe(7);
  expect((await instance.pmctl('stop', 'slow', '--no-wait')).code).toBe(0);
  await instance.gone('slow');
});

test('events name who asked, and the log shows the last lines', async () => {
  const instance = await startInstance();
  instance.defineScript('count', 'seq 100; exec sleep 1000');
  await instance.running('count', 1);
  const log = join(instance.folder('count'), 'logs/stdout.log');
  const isWritten = () => existsSync(log) && readFileSync(log, 'utf8').endsWith('\n100\n');
  await waitFor(isWritten, { what: 'a hundred lines' });

  const { stdout } = await instance.pmctl('logs', 'count', '-n', '3');
  expect(stdout).toContain('98\n99\n100\n');
  expect(stdout).not.toContain('97');

  expect((await instance.pmctl('stop', 'count')).code).toBe(0);
  const asked = (await instance.events('count')).find(({ kind }) => kind === 'operator.stop');
  expect(asked?.actor).toBe('local');
});
