import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';
import { waitFor } from './wait-for.ts';

test('a folder with an executable script is a service until it is renamed', async () => {
  const instance = await startInstance();
  const folder = join(instance.autoServiceDirectory, 'box');
  mkdirSync(folder);
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\npwd; exec sleep 1000\n', { mode: 0o755 });

  await instance.running('box', 1);
  const status = await instance.phase('box', 'RUNNING');
  expect(status.working_directory).toBe(folder);
  const log = join(folder, 'logs/stdout.log');
  const isLogged = () => existsSync(log) && readFileSync(log, 'utf8') === `${folder}\n`;
  await waitFor(isLogged, { what: 'the output of box' });

  renameSync(folder, `${folder}.disabled`);
  await instance.gone('box');
});

test('an edit that makes a definition invalid leaves the last good one running and says where', async () => {
  const instance = await startInstance();
  const file = instance.defineScript('steady', 'exec sleep 1000');
  instance.defineScript('other', 'exec sleep 1000');
  const before = [await instance.running('steady', 1), await instance.running('other', 1)];

  instance.define(
    'steady',
    'process:\n  working_directory: /tmp\n  stop_grace_period_ms: "5 s"\n  start_comand: [sleep]\n',
  );
  const update = await instance.pmctl('update');

  expect(update.code).not.toBe(0);
  const said = update.stdout + update.stderr;
  expect(said).toContain(`${file}:3:`);
  expect(said).toContain('process.stop_grace_period_ms: expected a duration');
  expect(said).toContain(`${file}:4:`);
  expect(said).toContain('did you mean "start_command"?');
  const status = await instance.status('steady');
  expect(status?.phase).toBe('RUNNING');
  expect(status?.conditions.map(({ type }) => type)).toContain('DefinitionInvalid');
  expect([instance.pidsOf('steady'), instance.pidsOf('other')]).toEqual(before);
});

test('a definition that never was valid is shown and runs nothing', async () => {
  const instance = await startInstance();
  instance.define('broken', 'process: [not, a, map]\n');

  const status = await instance.phase('broken', 'INVALID');
  expect(status.conditions.map(({ message }) => message).join()).toContain('broken.yaml:1:');
  const start = await instance.pmctl('start', 'broken');
  expect(start.code).toBe(1);
  expect(instance.pidsOf('broken')).toEqual([]);
});

test('one name in two files leaves what runs alone and names both files', async () => {
  const instance = await startInstance();
  const first = instance.defineScript('twin', 'exec sleep 1000');
  instance.defineScript('other', 'exec sleep 1000');
  const before = [await instance.running('twin', 1), await instance.running('other', 1)];

  const second = instance.define(
    'copy',
    `application: twin\n${'process: {working_directory: /}'}\n`,
  );
  const update = await instance.pmctl('update');

  expect(update.code).toBe(1);
  expect(update.stdout + update.stderr).toContain(first);
  expect(update.stdout + update.stderr).toContain(second);
  const status = await instance.status('twin');
  expect(status?.conditions.map(({ type }) => type)).toContain('DefinitionConflict');
  expect([instance.pidsOf('twin'), instance.pidsOf('other')]).toEqual(before);

  rmSync(second);
  expect((await instance.pmctl('update')).code).toBe(0);
  expect(instance.pidsOf('twin')).toEqual(before[0]);
});

test('a config folder that vanishes stops nothing until the removal is confirmed', async () => {
  const instance = await startInstance();
  instance.defineScript('one', 'exec sleep 1000');
  instance.defineScript('two', 'exec sleep 1000');
  const before = [await instance.running('one', 1), await instance.running('two', 1)];
  await instance.phase('two', 'RUNNING');

  renameSync(instance.configDirectory, `${instance.configDirectory}.away`);
  await instance.pmctl('update');
  const status = await instance.pmctl('status');
  expect(status.stdout + status.stderr).toContain('cannot read the config folder');
  expect([instance.pidsOf('one'), instance.pidsOf('two')]).toEqual(before);

  renameSync(`${instance.configDirectory}.away`, instance.configDirectory);
  expect((await instance.pmctl('update')).code).toBe(0);
  expect([instance.pidsOf('one'), instance.pidsOf('two')]).toEqual(before);

  rmSync(instance.configDirectory, { recursive: true });
  await instance.pmctl('update', '--prune');
  await Promise.all([instance.gone('one'), instance.gone('two')]);
});

test('what is no readable file is an error of that name alone', async () => {
  const instance = await startInstance();
  mkdirSync(join(instance.configDirectory, 'folder.yaml'));
  symlinkSync('circle.yaml', join(instance.configDirectory, 'circle.yaml'));
  instance.defineScript('fine', 'exec sleep 1000');

  await instance.running('fine', 1);
  const folder = await instance.phase('folder', 'INVALID');
  expect(messages(folder)).toContain('folder.yaml');
  const circle = await instance.phase('circle', 'INVALID');
  expect(messages(circle)).toMatch(/symbolic link/i);
});

test('a service that cannot be launched says why, and others are not affected', async () => {
  const instance = await startInstance();
  await cannotLaunch(instance, 'no-program', { start_command: ['./missing'] }, /missing/);
  await cannotLaunch(instance, 'no-user', { user: 'nobody-here' }, /nobody-here/);
  await cannotLaunch(instance, 'no-folder', { working_directory: '/missing/folder' }, /\/missing/);
  writeFileSync(join(instance.folder('no-exec'), 'run.sh'), '#!/bin/sh\n', { mode: 0o644 });
  await cannotLaunch(instance, 'no-exec', { start_command: ['./run.sh'] }, /run\.sh/);
  instance.defineScript('fine', 'exec sleep 1000');
  await instance.running('fine', 1);
});

async function cannotLaunch(
  instance: Instance,
  service: string,
  process: object,
  why: RegExp,
): Promise<void> {
  instance.defineScript(service, 'exec sleep 1000', {
    process,
    restart_policy: { restart_backoff_ms: 20, tolerance: { max_restarts: 1 } },
  });
  const status = await instance.phase(service, 'FAILED');
  expect(status.last_exit).toMatchObject({
    kind: 'launch_failed',
    message: expect.stringMatching(why),
  });
  expect(instance.pidsOf(service)).toEqual([]);
  const start = await instance.pmctl('start', service);
  expect(start.code).toBe(1);
  expect(start.stdout + start.stderr).toMatch(why);
}

function messages(status: { conditions: readonly { message: string }[] }): string {
  return status.conditions.map(({ message }) => message).join('\n');
}
