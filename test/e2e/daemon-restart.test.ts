import {
  chmodSync,
  cpSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Instance, startInstance } from './harness.ts';
import { processEnvironment, processField, readOr, zombiesOf } from './kernel.ts';
import { waitFor } from './wait-for.ts';

/** Numbered lines until a file says that it is enough. */
const COUNTER = 'i=0; while [ ! -e enough ]; do i=$((i+1)); echo "line $i"; sleep 0.002; done';

test('a restart replaces the daemon and touches no service', async () => {
  const instance = await startInstance();
  const folder = instance.folder('counter');
  const log = () => readOr(join(folder, 'logs/stdout.log'), '');
  instance.defineScript('counter', `${COUNTER}; exec sleep 1000`);
  instance.defineScript('sleeper', 'exec sleep 1000');
  await instance.pmctl('stop', (await instance.phase('sleeper', 'RUNNING')).application);
  await waitFor(() => log().includes('line 100\n'), { what: 'a hundred lines' });
  const before = await instance.phase('counter', 'RUNNING');
  const daemonPid = instance.daemonPid;

  const restarted = await instance.pmctl('daemon', 'restart');

  expect(restarted).toMatchObject({ code: 0, stderr: '' });
  expect(restarted.stdout).toMatch(/^processmaster \S+ \(built on .*\n +-> \S+ \(built on /);
  expect(instance.daemonPid).toBe(daemonPid);
  const after = await instance.phase('counter', 'RUNNING');
  expect(after).toMatchObject({ main_pid: before.main_pid, run: 1, restarts_10m: 0 });
  expect((await instance.phase('sleeper', 'STOPPED')).stopped_by).toBe('local');
  writeFileSync(join(folder, 'enough'), '');
  await waitFor(() => instance.pidsOf('counter').length === 1, { what: 'the last line' });
  await instance.pmctl('stop', 'all');
  const lines = log().trimEnd().split('\n');
  expect(lines).toEqual(lines.map((_, index) => `line ${index + 1}`));
  expect(zombiesOf(daemonPid)).toEqual([]);
});

test('a restart waits for a stop command that is at work', async () => {
  const instance = await startInstance();
  instance.defineScript('worker', 'exec sleep 1000', {
    process: { stop_command: ['/bin/sh', '-c', 'sleep 1; echo done >done'] },
  });
  await instance.phase('worker', 'RUNNING');
  await instance.pmctl('stop', 'worker', '--no-wait');
  await instance.phase('worker', 'STOPPING');

  const { code } = await instance.pmctl('daemon', 'restart');

  expect(code).toBe(0);
  expect(readOr(join(instance.folder('worker'), 'done'), '')).toBe('done\n');
  await instance.phase('worker', 'STOPPED', 15_000);
  expect(zombiesOf(instance.daemonPid)).toEqual([]);
});

test('a daemon that is to end while its restart waits ends, with its services', async () => {
  const instance = await startInstance();
  instance.defineScript('sleeper', 'exec sleep 1000');
  instance.defineScript('worker', 'exec sleep 1000', {
    process: { stop_command: ['/bin/sh', '-c', 'sleep 2'] },
  });
  await instance.phase('sleeper', 'RUNNING');
  await instance.phase('worker', 'RUNNING');
  await instance.pmctl('stop', 'worker', '--no-wait');
  await instance.phase('worker', 'STOPPING');
  process.kill(instance.daemonPid, 'SIGUSR2');
  const isRestarting = () => instance.daemonOutput.includes('daemon.restarting');
  await waitFor(isRestarting, { what: 'the restart to begin' });

  expect(await instance.endDaemon('SIGTERM')).toBe(0);

  expect(instance.pidsOf('sleeper')).toEqual([]);
});

test('what the daemon ignores while it starts is ignored by nothing that it starts', async () => {
  const instance = await startInstance();
  const status = join(instance.folder('worker'), 'status');
  instance.defineScript('worker', 'exec sleep 1000', {
    process: { stop_command: ['/bin/sh', '-c', 'cat /proc/self/status >status'] },
    restart_policy: { policy: 'never' },
  });
  const { main_pid } = await instance.phase('worker', 'RUNNING');
  const ofService = processField(main_pid ?? 0, 'SigIgn');
  await instance.pmctl('stop', 'worker', '--no-wait');
  await waitFor(() => readOr(status, '').includes('SigIgn:'), { what: 'the stop command' });

  const none = '0000000000000000';
  expect([ofService, /^SigIgn:\s*(.*)$/m.exec(readOr(status, ''))?.[1]]).toEqual([none, none]);
});

test('SIGUSR2 does the same', async () => {
  const instance = await startInstance();
  instance.defineScript('sleeper', 'exec sleep 1000');
  const { main_pid } = await instance.phase('sleeper', 'RUNNING');

  process.kill(instance.daemonPid, 'SIGUSR2');

  const restarts = async () => {
    const { stdout } = await instance.pmctl('events', '--format', 'json');
    const kinds =
      stdout === '' ? [] : JSON.parse(stdout).map((event: { kind: string }) => event.kind);
    return kinds.filter((kind: string) => kind === 'daemon.started').length === 2;
  };
  await waitFor(restarts, { what: 'the next daemon' });
  expect((await instance.phase('sleeper', 'RUNNING')).main_pid).toBe(main_pid);
});

test('a daemon that cannot be replaced goes on and says why', async () => {
  const instance = await startInstance();
  instance.defineScript('sleeper', 'exec sleep 1000');
  await instance.phase('sleeper', 'RUNNING');
  const config = readFileSync(instance.configFile, 'utf8');
  const refusal = async (text: string) => {
    writeFileSync(instance.configFile, text);
    const { code, stderr } = await instance.pmctl('daemon', 'restart');
    return { code, stderr };
  };

  const misspelt = await refusal(config.replace('state_directory', 'state_directry'));
  const moved = await refusal(config.replace('./run', './run2'));

  expect(misspelt.code).toBe(1);
  expect(misspelt.stderr).toContain('cannot restart the daemon, the running one goes on');
  expect(misspelt.stderr).toMatch(/config\.yaml:\d+:\d+: .*state_directry/);
  expect(moved.code).toBe(1);
  expect(moved.stderr).toContain('names another instance');
  expect((await instance.phase('sleeper', 'RUNNING')).run).toBe(1);
  const { stdout } = await instance.pmctl('events');
  expect(stdout).toContain('daemon.restart-failed');
});

test('a daemon whose next image would lack its keeper or its socket goes on and says why', async () => {
  const instance = new Instance();
  const keeper = join(await instance.installDaemon(), 'keeper');
  await instance.start();
  const config = readFileSync(instance.configFile, 'utf8');

  chmodSync(keeper, 0o644);
  const unusable = await instance.pmctl('daemon', 'restart');
  rmSync(keeper);
  const missing = await instance.pmctl('daemon', 'restart');
  writeFileSync(
    instance.configFile,
    `${config}unix_socket:\n  path: ${instance.configFile}/sock\n`,
  );
  const noFolder = await instance.pmctl('daemon', 'restart');

  for (const { code } of [unusable, missing, noFolder]) expect(code).toBe(1);
  expect(unusable.stderr).toContain(`cannot execute '${keeper}'`);
  expect(missing.stderr).toContain('No such file or directory');
  expect(noFolder.stderr).toContain(`cannot listen on '${instance.configFile}/sock'`);
  expect((await instance.pmctl('server-version')).code).toBe(0);
});

test('a daemon whose next image is spoilt while it waits for a stop command goes on, and may be asked again', async () => {
  const instance = new Instance();
  const program = join(await instance.installDaemon(), 'processmaster');
  await instance.start();
  instance.defineScript('worker', 'exec sleep 1000', {
    process: { stop_command: ['/bin/sh', '-c', 'while [ ! -e end ]; do sleep 0.02; done'] },
  });
  const pid = instance.daemonPid;
  await instance.phase('worker', 'RUNNING');
  await instance.pmctl('stop', 'worker', '--no-wait');
  await instance.phase('worker', 'STOPPING');
  process.kill(pid, 'SIGUSR2');
  const says = (kind: string) => () => instance.daemonOutput.includes(kind);
  await waitFor(says('daemon.restarting'), { what: 'the restart to begin' });
  renameSync(program, `${program}.away`);
  writeFileSync(join(instance.folder('worker'), 'end'), '');

  await waitFor(says('daemon.restart-failed'), { what: 'the restart to fail', deadlineMs: 20_000 });
  expect((await instance.pmctl('server-version')).code).toBe(0);
  renameSync(`${program}.away`, program);
  expect(await instance.pmctl('daemon', 'restart')).toMatchObject({ code: 0, stderr: '' });
  expect(instance.daemonPid).toBe(pid);
});

test('a restart by a link runs what the link leads to by then', async () => {
  const instance = new Instance();
  const versions = ['1.0', '2.0'].map((version) => join(instance.root, version));
  const dist = await instance.installDaemon();
  for (const folder of versions) cpSync(dist, folder, { recursive: true });
  const [old = '', next = ''] = versions.map((folder) => join(folder, 'processmaster'));
  writeFileSync(next, readFileSync(next, 'utf8').replaceAll('0.1.0', '9.9.9'));
  const link = join(instance.root, 'current');
  symlinkSync(old, link);
  instance.daemonProgram = link;
  await instance.start();
  instance.defineScript('sleeper', 'exec sleep 1000', { process: { inherit_environment: true } });
  const { main_pid } = await instance.phase('sleeper', 'RUNNING');

  symlinkSync(next, `${link}.new`);
  renameSync(`${link}.new`, link);
  const upgraded = await instance.pmctl('daemon', 'restart');

  expect(upgraded).toMatchObject({ code: 0, stderr: '' });
  expect(upgraded.stdout).toMatch(/^processmaster 0\.1\.0 .*\n +-> 9\.9\.9 /);
  expect((await instance.phase('sleeper', 'RUNNING')).main_pid).toBe(main_pid);
  const inherited = Object.keys(processEnvironment(main_pid ?? 0));
  expect(inherited.filter((name) => name.startsWith('PROCESSMASTER'))).toEqual([]);
});

test('the next daemon is the build that is installed by then', async () => {
  const instance = new Instance();
  const installed = join(await instance.installDaemon(), 'processmaster');
  await instance.start();
  instance.defineScript('sleeper', 'exec sleep 1000');
  const { main_pid } = await instance.phase('sleeper', 'RUNNING');

  const code = readFileSync(installed, 'utf8');
  rmSync(installed);
  const missing = await instance.pmctl('daemon', 'restart');
  writeFileSync(installed, code.replaceAll('0.1.0', '9.9.9'));
  chmodSync(installed, 0o755);
  const upgraded = await instance.pmctl('daemon', 'restart');

  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('No such file or directory');
  expect(upgraded).toMatchObject({ code: 0, stderr: '' });
  expect(upgraded.stdout).toMatch(/^processmaster 0\.1\.0 .*\n +-> 9\.9\.9 /);
  expect((await instance.phase('sleeper', 'RUNNING')).main_pid).toBe(main_pid);
});
