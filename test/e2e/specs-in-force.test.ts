import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInstance } from './harness.ts';

test('the last good spec of a broken file is in force after a clean restart', async () => {
  const instance = await startInstance();
  instance.defineScript('steady', 'exec sleep 1000');
  instance.defineScript('steady', 'exec sleep 1001');
  await instance.pmctl('update');
  await instance.running('steady', 1);
  const before = await instance.phase('steady', 'RUNNING');

  expect(await instance.endDaemon('SIGTERM')).toBe(0);
  instance.define('steady', 'process: {working_directory: /tmp, niece: 1}\n');
  await instance.start();

  await instance.running('steady', 1);
  const broken = await instance.phase('steady', 'RUNNING');
  expect(broken.generation).toBe(before.generation);
  expect(broken.conditions.map(({ type }) => type)).toContain('DefinitionInvalid');

  instance.defineScript('steady', 'exec sleep 1002');
  await instance.pmctl('update');
  expect((await instance.status('steady'))?.generation).toBe((before.generation ?? 0) + 1);
});

test('generations go on over restarts of any kind', async () => {
  const instance = await startInstance();
  const generation = async () => (await instance.phase('web', 'RUNNING')).generation;
  for (const [at, end] of (['SIGTERM', 'SIGKILL', 'SIGTERM'] as const).entries()) {
    instance.defineScript('web', `exec sleep 100${at}`);
    await instance.pmctl('update');
    await instance.running('web', 1);
    expect(await generation()).toBe(at + 1);
    await instance.endDaemon(end);
    await instance.start();
    expect(await generation()).toBe(at + 1);
  }
});

test('a definition that is gone after a restart is forgotten, and comes back as a new one', async () => {
  const instance = await startInstance();
  instance.defineScript('brief', 'exec sleep 1000');
  instance.defineScript('brief', 'exec sleep 1001');
  await instance.pmctl('update');
  await instance.phase('brief', 'RUNNING');
  await instance.endDaemon('SIGTERM');
  rmSync(join(instance.configDirectory, 'brief.yaml'));
  await instance.start();
  await instance.gone('brief');
  await instance.endDaemon('SIGTERM');
  instance.defineScript('brief', 'exec sleep 1000');
  await instance.start();
  expect((await instance.phase('brief', 'RUNNING')).generation).toBe(1);
});

test('a folder that is empty after a clean restart trips the brake all the same', async () => {
  const instance = await startInstance();
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) instance.defineScript(name, 'exec sleep 1000');
  await instance.pmctl('update');
  for (const name of names) await instance.phase(name, 'RUNNING');
  await instance.endDaemon('SIGTERM');
  renameSync(instance.configDirectory, `${instance.configDirectory}.away`);
  mkdirSync(instance.configDirectory);

  await instance.start();
  for (const name of names) await instance.phase(name, 'RUNNING');
  expect((await instance.pmctl('status')).stdout).toContain('4 services are kept as they were');

  await instance.pmctl('update', '--prune');
  for (const name of names) await instance.gone(name);
});
