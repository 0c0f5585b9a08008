import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Instance, startInstance } from './harness.ts';
import { cgroupPids } from './kernel.ts';
import { type Outcome, program, runProgram } from './programs.ts';

test('a second daemon on the same config refuses to start and names the first', async () => {
  const instance = await startInstance();
  instance.defineScript('quiet', 'exec sleep 1000');
  const before = await instance.running('quiet', 1);

  const second = await startDaemon(instance);

  expect(second.code).toBe(1);
  expect(second.stderr).toContain(String(instance.daemonPid));
  expect(second.stderr).toMatch(oneLine);
  expect(instance.pidsOf('quiet')).toEqual(before);
  expect((await instance.pmctl('server-version')).code).toBe(0);
});

test('a second daemon with the same cgroup but folders of its own refuses to start', async () => {
  const instance = await startInstance();
  const other = new Instance();
  const config = readFileSync(other.configFile, 'utf8').replace(other.name, instance.name);
  writeFileSync(other.configFile, config);

  const second = await startDaemon(other);

  expect(second.code).toBe(1);
  expect(second.stderr).toContain(String(instance.daemonPid));
});

test('a socket that another program listens on is left to it', async () => {
  const instance = new Instance();
  const socket = join(instance.root, 'taken.sock');
  appendFileSync(instance.configFile, `unix_socket:\n  path: ${socket}\n`);
  const server = createServer((connection) => connection.end());
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());

  const refused = await startDaemon(instance);

  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(socket);
  expect(cgroupPids(instance.cgroup)).toEqual([]);
});

test('a cgroup root that is not cgroup v2 is refused', async () => {
  const instance = new Instance();
  const config = readFileSync(instance.configFile, 'utf8');
  writeFileSync(
    instance.configFile,
    config.replace('cgroup:\n', `cgroup:\n  root: ${instance.root}\n`),
  );

  const refused = await startDaemon(instance);

  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(instance.root);
  expect(refused.stderr).toMatch(/cgroup v2/);
});

test('only root can run it', async () => {
  const instance = new Instance();
  // Allowed to read everything, so that what fails is not the way to the program.
  const capabilities = '+dac_override,+dac_read_search';
  const refused = await runProgram('setpriv', [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    `--inh-caps=${capabilities}`,
    `--ambient-caps=${capabilities}`,
    await program('processmaster'),
    '-c',
    instance.configFile,
  ]);

  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/root/);
  expect(refused.stderr).toMatch(oneLine);
});

test('a mistake in the master config is named with its place before anything starts', async () => {
  const instance = new Instance();
  appendFileSync(instance.configFile, '  config_directroy: ./x\n');

  const refused = await startDaemon(instance);

  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(`${instance.configFile}:8:3: `);
  expect(refused.stderr).toContain('did you mean "config_directory"?');
});

test('a check prints every problem and starts nothing', async () => {
  const instance = new Instance();
  instance.defineScript('fine', 'exec sleep 1000');
  expect(await check(instance)).toMatchObject({ code: 0, stderr: '' });

  const wrong = instance.define('wrong', 'process:\n  working_directory: /\n  user: [x]\n');
  const twice = instance.define('twice', 'application: fine\nprocess: {working_directory: /}\n');
  const checked = await check(instance);

  expect(checked.code).toBe(1);
  expect(checked.stderr).toContain(`${wrong}:3:`);
  expect(checked.stderr).toContain(twice);
  expect(cgroupPids(instance.cgroup)).toEqual([]);
});

const oneLine = /^[^\n]+\n$/;

async function startDaemon(instance: Instance): Promise<Outcome> {
  return runProgram(await program('processmaster'), ['-c', instance.configFile]);
}

async function check(instance: Instance): Promise<Outcome> {
  return runProgram(await program('processmaster'), ['--check', '-c', instance.configFile]);
}
