import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';
import { commandLine, isAlive, processEnvironment, processField } from './kernel.ts';
import { waitFor } from './wait-for.ts';

test('redis-server answers, is started again after kill -9, and ends by itself when stopped', async () => {
  const instance = await startInstance();
  const socket = join(instance.folder('redis'), 'redis.sock');
  instance.define('redis', {
    process: {
      working_directory: instance.folder('redis'),
      start_command: ['redis-server', '--port', '0', '--unixsocket', socket, '--save', ''],
    },
    restart_policy: { restart_backoff_ms: 100 },
  });

  const [first = 0] = await instance.running('redis', 1);
  await waitFor(() => ping(socket), { what: 'redis to answer' });
  process.kill(first, 'SIGKILL');
  const another = () => instance.pidsOf('redis').find((pid) => pid !== first);
  const second = await waitFor(another, { what: 'another process' });
  await waitFor(() => ping(socket), { what: 'redis to answer again' });
  expect(isAlive(first)).toBe(false);
  expect(commandLine(second)).toContain('redis-server');
  const end = (await instance.events('redis')).find(({ kind }) => kind === 'service.ended');
  expect(end?.data.signal).toBe('SIGKILL');

  const stopped = await instance.pmctl('stop', 'redis');
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('0 killed') });
  expect(isAlive(second)).toBe(false);
  await instance.gone('redis');
});

test('a script that forks twenty processes into the background and exits still runs', async () => {
  const instance = await startInstance();
  instance.defineScript('forks', 'for i in $(seq 20); do ( ( exec sleep 1000 ) & ); done');

  const pids = await instance.running('forks', 20);
  const status = await instance.phase('forks', 'RUNNING');
  expect(status.pids.toSorted()).toEqual(pids.toSorted());
  // The shell that was launched is none of them, so they have been reparented.
  const areSleeps = () => pids.every((pid) => processField(pid, 'Name') === 'sleep');
  await waitFor(areSleeps, { what: 'all of them to be sleeps' });

  expect((await instance.pmctl('stop', 'forks')).code).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  await instance.gone('forks');
});

test('a service that ignores the stop signal is killed after its grace, and stop says so', async () => {
  const instance = await startInstance();
  const graceMs = 500;
  instance.defineScript('stubborn', 'trap "" TERM; sleep 1000; sleep 1000', {
    process: { stop_grace_period_ms: graceMs },
  });
  const pids = await instance.running('stubborn', 2);
  await instance.phase('stubborn', 'RUNNING');

  const askedAt = performance.now();
  const stopped = await instance.pmctl('stop', 'stubborn');

  expect(performance.now() - askedAt).toBeGreaterThan(graceMs);
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('2 killed') });
  expect(pids.filter(isAlive)).toEqual([]);
  await instance.gone('stubborn');
});

test('children that leave session and process group are stopped with their service', async () => {
  const instance = await startInstance();
  instance.defineScript(
    'runaway',
    'setsid sleep 1000 & setsid sh -c "setsid sleep 1000 & sleep 1000" & exec sleep 1000',
  );
  const pids = await instance.running('runaway', 5);
  const sessions = () => new Set(pids.map((pid) => processField(pid, 'NSsid')));
  await waitFor(() => sessions().size === 4, { what: 'four sessions' });
  await instance.phase('runaway', 'RUNNING');

  const stopped = await instance.pmctl('stop', 'runaway');

  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('0 killed') });
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a crash loop backs off, fails for good, and is cleared by a start', async () => {
  const instance = await startInstance();
  const runs = join(instance.folder('loop'), 'runs');
  const cured = join(instance.folder('loop'), 'cured');
  instance.defineScript('loop', 'echo run >> runs; test -e cured && exec sleep 1000; exit 7', {
    restart_policy: {
      restart_backoff_ms: 300,
      tolerance: { max_restarts: 2, duration: '1m' },
    },
  });

  const waiting = await instance.phase('loop', 'BACKOFF');
  expect(waiting.last_exit_code).toBe(7);
  expect(waiting.next_start_in_ms).toBeGreaterThan(0);
  const failed = await instance.phase('loop', 'FAILED');
  expect(failed.system_flags).toContain('failed');
  expect(readFileSync(runs, 'utf8')).toBe('run\n'.repeat(3));
  expect(existsSync(instance.cgroupOf('loop'))).toBe(false);
  const kinds = (await instance.events('loop')).map((event) => event.kind);
  expect(kinds.filter((kind) => kind === 'service.backoff')).toHaveLength(2);
  expect(kinds.at(-1)).toBe('service.failed');

  writeFileSync(cured, '');
  expect((await instance.pmctl('start', 'loop')).code).toBe(0);
  const [pid = 0] = await instance.running('loop', 1);
  await waitFor(() => commandLine(pid) === 'sleep 1000', { what: 'the cured command' });
  const running = await instance.phase('loop', 'RUNNING');
  expect(running.system_flags).not.toContain('failed');
});

test('an edit of the environment restarts the service, an edit of a comment does not', async () => {
  const instance = await startInstance();
  const definition = (greeting: string) => `process:
  working_directory: ${instance.folder('polite')}
  start_command: [sleep, "1000"]
  environment: [{name: GREETING, value: ${greeting}}]
`;
  instance.define('polite', definition('hello'));
  const [first = 0] = await instance.running('polite', 1);
  await instance.phase('polite', 'RUNNING');

  instance.define('polite', `# a comment\n${definition('hello')}`);
  expect((await instance.pmctl('update')).stdout).toContain('nothing changed');
  expect(instance.pidsOf('polite')).toEqual([first]);

  instance.define('polite', definition('bonjour'));
  const another = () => instance.pidsOf('polite').find((pid) => pid !== first);
  const second = await waitFor(another, { what: 'another process' });
  const greets = () => processEnvironment(second).GREETING === 'bonjour';
  await waitFor(greets, { what: 'the new environment' });
  expect(isAlive(first)).toBe(false);
});

test('an edit of a live field takes effect without a restart', async () => {
  const instance = await startInstance();
  const script = 'trap "" TERM; sleep 1000; sleep 1000';
  instance.defineScript('patient', script, { process: { stop_grace_period_ms: 60_000 } });
  const pids = await instance.running('patient', 2);
  await instance.phase('patient', 'RUNNING');

  instance.defineScript('patient', script, { process: { stop_grace_period_ms: 100 } });
  expect((await instance.pmctl('update')).code).toBe(0);
  const status = await instance.phase('patient', 'RUNNING');

  expect(status.generation).toBe(2);
  expect(instance.pidsOf('patient')).toEqual(pids);
  expect((await instance.pmctl('stop', 'patient')).stdout).toContain('2 killed');
});

async function ping(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket, () => connection.write('PING\r\n'));
    connection.on('data', (answer) => {
      connection.destroy();
      resolve(answer.toString() === '+PONG\r\n');
    });
    connection.on('error', () => resolve(false));
  });
}
