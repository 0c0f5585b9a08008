import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { backupContents, backupNames, wholeLog } from '../logs/log-files.ts';
import { Instance, startInstance } from './harness.ts';
import { cgroupPids, readOr } from './kernel.ts';
import { waitFor } from './wait-for.ts';

const LINES = 2_000_000;

const keeperOf = (instance: Instance) => cgroupPids(join(instance.cgroup, 'keeper'))[0] ?? 0;
const stdoutOf = (instance: Instance, service: string) =>
  join(instance.folder(service), 'logs/stdout.log');

test('no line is lost or doubled over rotations, compression and the death of the daemon', async () => {
  const instance = await startInstance();
  // 15 MB at full speed: more than fifty files.
  instance.defineScript('loud', `seq 1 ${LINES}; echo done > done; exec sleep 1000`, {
    logs: { rotation_size: 250_000, rotation_backups: 100 },
  });
  const path = stdoutOf(instance, 'loud');
  await waitFor(() => existsSync(`${path}.2`) || existsSync(`${path}.2.gz`), {
    what: 'the first rotations',
    deadlineMs: 20_000,
  });
  const keeper = keeperOf(instance);
  const { main_pid } = await instance.phase('loud', 'RUNNING');
  await instance.endDaemon('SIGKILL');
  await delay(100);
  await instance.start();
  await waitFor(() => existsSync(join(instance.folder('loud'), 'done')), {
    what: 'the last line to be said',
    deadlineMs: 60_000,
  });
  const last = `${LINES}\n`;
  await waitFor(() => readOr(path, '').endsWith(last), {
    what: 'the last line',
    deadlineMs: 20_000,
  });
  const names = () => backupNames(path);
  await waitFor(() => names().every((name) => name.endsWith('.gz')), {
    what: 'everything to be compressed',
    deadlineMs: 60_000,
  });

  expect(names().length).toBeGreaterThan(50);
  const lines = wholeLog(path).toString().split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.length).toBe(LINES);
  expect(lines.findIndex((line, at) => line !== String(at + 1))).toBe(-1);
  expect(keeperOf(instance)).toBe(keeper);
  expect(await instance.status('loud')).toMatchObject({ main_pid, run: 1 });
}, 180_000);

test('how logs are kept changes for a running service, also for one that is adopted', async () => {
  const instance = await startInstance();
  const define = (logs: object) =>
    instance.defineScript(
      'chatty',
      'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.01; done',
      {
        logs: { compression_enabled: false, ...logs },
      },
    );
  define({});
  const { main_pid } = await instance.phase('chatty', 'RUNNING');
  const path = stdoutOf(instance, 'chatty');
  await waitFor(() => readOr(path, '').includes('line 5\n'), { what: 'lines' });

  define({ rotation_size: 200, rotation_backups: 3 });
  await waitFor(() => backupNames(path).length === 3, {
    what: 'three backups',
    deadlineMs: 20_000,
  });
  for (const backup of backupContents(path).slice(0, 2)) {
    expect(backup.length).toBeLessThanOrEqual(200);
  }

  // Changed while there is no daemon: the next one tells the keeper.
  await instance.endDaemon('SIGKILL');
  define({ rotation_size: 200, rotation_backups: 1, timestamps: true });
  await instance.start();
  await waitFor(() => backupNames(path).length === 1, { what: 'one backup', deadlineMs: 20_000 });
  await waitFor(() => /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z line \d+$/m.test(readOr(path, '')), {
    what: 'timestamps',
    deadlineMs: 20_000,
  });
  expect(await instance.phase('chatty', 'RUNNING')).toMatchObject({ main_pid, run: 1 });
}, 60_000);

test('a folder of the service cannot lead a rotation elsewhere, and an event says so', async () => {
  const instance = await startInstance();
  const outside = join(instance.root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'victim'), 'untouched');
  const logs = join(instance.folder('sly'), 'logs');
  mkdirSync(logs);
  for (const name of ['stdout.log.1', 'stdout.log.2.gz', '.stdout.log.gz.tmp']) {
    symlinkSync(join(outside, name.startsWith('.') ? 'made' : 'victim'), join(logs, name));
  }
  instance.defineScript('sly', 'seq 1 20000; exec sleep 1000', {
    logs: { rotation_size: 20_000, rotation_backups: 50 },
  });
  const path = stdoutOf(instance, 'sly');
  await waitFor(() => readOr(path, '').endsWith('\n20000\n'), { what: 'the last line' });
  await waitFor(() => existsSync(`${path}.4.gz`), { what: 'a compressed backup' });
  const events = await instance.events('sly');
  const warning = events.find(({ message }) => message.includes('stdout.log.1'));
  expect(warning?.message).toContain('left alone');
  expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('untouched');
  expect(existsSync(join(outside, 'made'))).toBe(false);
});

test('a hint is shown as far as the user of the service may read it, and never written', async () => {
  const instance = await startInstance();
  const folder = instance.folder('app');
  const secret = join(instance.root, 'secret');
  writeFileSync(secret, 'the password\n', { mode: 0o600 });
  writeFileSync(join(folder, 'own.log'), 'one\ntwo\nthree\n', { mode: 0o644 });
  symlinkSync(secret, join(folder, 'link.log'));
  execFileSync('mkfifo', ['-m', '666', join(folder, 'pipe')]);
  const user = 'nobody';
  instance.defineScript('app', 'exec sleep 1000', {
    process: { user },
    logs: { hints: ['own.log', 'link.log', 'missing.log', secret, 'pipe'] },
  });
  await instance.phase('app', 'RUNNING');
  const { code, stdout, stderr } = await instance.pmctl('logs', 'app', '-n', '2');
  expect(stdout).toBe('two\nthree\n');
  expect(code).toBe(1);
  const denied = (path: string) =>
    `pmctl: cannot show '${path}': user '${user}' cannot read it: Permission denied\n`;
  expect(stderr).toContain(denied(secret));
  expect(stderr).toContain(denied(join(folder, 'link.log')));
  expect(stderr).not.toContain('missing.log');
  expect(stderr).toContain(`cannot show '${join(folder, 'pipe')}': it does not come to an end`);
  expect(`${stdout}${stderr}`).not.toContain('password');
  expect(existsSync(join(folder, 'missing.log'))).toBe(false);
}, 30_000);

test('the files of a stop command are put aside, too', async () => {
  const instance = await startInstance();
  const path = join(instance.folder('polite'), 'logs/stop_command_stdout.log');
  for (const backups of [0, 1]) {
    // The command does not end it, its grace is short.
    instance.define('polite', {
      process: {
        working_directory: instance.folder('polite'),
        start_command: ['/bin/sleep', '1000'],
        stop_command: ['/bin/sh', '-c', 'seq 1 1000'],
        stop_grace_period_ms: 200,
      },
      logs: { rotation_size: 1_000, compression_enabled: false },
    });
    await instance.phase('polite', 'RUNNING');
    await instance.pmctl('restart', 'polite');
    await waitFor(() => readOr(path, '').endsWith('\n1000\n'), { what: 'the command' });
    expect(backupNames(path)).toHaveLength(backups);
  }
}, 40_000);

test('the log files of all services together stay within the budget of the master config', async () => {
  const instance = new Instance('logs:\n  max_total_size: 400000\n');
  await instance.start();
  for (const service of ['one', 'two']) {
    instance.defineScript(service, 'seq 1 200000; echo said > said; exec sleep 1000', {
      logs: { compression_enabled: false },
    });
    const said = join(instance.folder(service), 'said');
    await waitFor(() => existsSync(said), { what: `${service} to be done`, deadlineMs: 20_000 });
    const isWritten = () => readOr(stdoutOf(instance, service), '').endsWith('\n200000\n');
    await waitFor(isWritten, { what: 'its last line', deadlineMs: 20_000 });
  }
  const paths = ['one', 'two'].map((service) => stdoutOf(instance, service));
  const total = () => paths.reduce((sum, path) => sum + wholeLog(path).length, 0);
  await waitFor(() => total() <= 500_000, { what: 'the oldest to go', deadlineMs: 20_000 });
  expect(wholeLog(paths[1] ?? '').toString()).toMatch(/\n199999\n200000\n$/);
}, 60_000);
