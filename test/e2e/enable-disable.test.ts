import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';

const WWW_DATA = Number(execFileSync('id', ['-u', 'www-data'], { encoding: 'utf8' }));

/** A definition as people write them, with what an edit might lose. */
const lines = (folder: string, enabled: string) => [
  '# the worker, see the wiki',
  'process:   # odd   spacing stays',
  `  working_directory: "${folder}"`,
  "  start_command: [ '/bin/sleep', '1000' ]",
  ...(enabled === '' ? [] : ['global:', `    enabled:   ${enabled}   # why not`]),
  '# the end',
  '',
];

function defineByHand(instance: Instance, service: string, enabled: string): string {
  return instance.define(service, lines(instance.folder(service), enabled).join('\r\n'));
}

test('disable and enable edit the file, keep all else of it, and the service follows', async () => {
  const instance = await startInstance();
  const file = defineByHand(instance, 'worker', 'true');
  chownSync(file, WWW_DATA, WWW_DATA);
  chmodSync(file, 0o640);
  const before = readFileSync(file);
  await instance.running('worker', 1);
  await instance.phase('worker', 'RUNNING');

  const disabled = await instance.pmctl('disable', 'worker', '--reason', 'new disk');
  expect(disabled).toMatchObject({ code: 0, stderr: '' });
  expect(disabled.stdout).toBe(
    `worker: disabled in ${file}; stopped: 1 process ended by itself, 0 killed\n`,
  );
  expect(instance.pidsOf('worker')).toEqual([]);
  expect((await instance.status('worker'))?.phase).toBe('DISABLED');
  expect(readFileSync(file, 'utf8')).toBe(
    before.toString().replace('enabled:   true', 'enabled:   false'),
  );
  const again = await instance.pmctl('disable', 'worker');
  expect(again).toMatchObject({
    code: 0,
    stdout: `worker: already disabled in ${file}; already stopped\n`,
  });

  const enabled = await instance.pmctl('enable', 'worker');
  expect(enabled).toMatchObject({ code: 0, stderr: '' });
  expect(enabled.stdout).toMatch(`worker: enabled in ${file}; running: run 2, pid `);
  expect((await instance.status('worker'))?.phase).toBe('RUNNING');
  expect(readFileSync(file)).toEqual(before);
  const { uid, gid, mode } = statSync(file);
  expect([uid, gid, mode & 0o7777]).toEqual([WWW_DATA, WWW_DATA, 0o640]);
  expect(readdirSync(instance.configDirectory)).toEqual(['worker.yaml']);

  const events = await instance.events('worker');
  const told = events.filter(({ kind }) => kind.startsWith('operator.'));
  expect(told.map(({ kind, actor, data }) => [kind, actor, data.edit, data.reason])).toEqual([
    ['operator.disable', 'local', 'edited', 'new disk'],
    ['operator.disable', 'local', 'unchanged', null],
    ['operator.enable', 'local', 'edited', null],
  ]);
  expect(told[0]?.message).toContain(`(edited ${file}): new disk`);
});

test('enable takes back a stop, disable a start by force', async () => {
  const instance = await startInstance();
  const file = defineByHand(instance, 'worker', '');
  await instance.running('worker', 1);
  expect((await instance.pmctl('stop', 'worker')).code).toBe(0);

  const enabled = await instance.pmctl('enable', 'worker');
  expect(enabled.code).toBe(0);
  expect(enabled.stdout).toContain('already enabled');
  expect(await instance.phase('worker', 'RUNNING')).toMatchObject({ stopped_by: null });

  expect((await instance.pmctl('disable', 'worker')).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toMatch(/# the end\r\nglobal:\r\n {2}enabled: false\r\n$/);
  expect((await instance.pmctl('start', 'worker', '--force')).code).toBe(0);
  expect((await instance.pmctl('disable', 'worker')).code).toBe(0);
  expect((await instance.status('worker'))?.phase).toBe('DISABLED');
  expect(instance.pidsOf('worker')).toEqual([]);
});

test('of an auto service, the definition that was generated is edited', async () => {
  const instance = await startInstance();
  const folder = join(instance.autoServiceDirectory, 'box');
  const file = join(folder, 'service.yml');
  mkdirSync(folder);
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
  chownSync(folder, WWW_DATA, WWW_DATA);
  await instance.running('box', 1);

  expect((await instance.pmctl('enable', 'box')).code).toBe(0);
  const text = readFileSync(file, 'utf8');
  expect((await instance.pmctl('disable', 'box')).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(text.replace('enabled: true', 'enabled: false'));
  expect(statSync(file)).toMatchObject({ uid: WWW_DATA, nlink: 1 });
  expect((await instance.status('box'))?.phase).toBe('DISABLED');
  expect((await instance.pmctl('enable', 'box')).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(text);
  await instance.running('box', 1);
});

test('a pattern edits many, and one that cannot be edited is told alone', async () => {
  const instance = await startInstance();
  for (const name of ['web-1', 'web-2', 'db']) defineByHand(instance, name, '');
  const shared = instance.define(
    'web-3',
    `labels: { a: &on true }\nglobal: { enabled: *on }\nprocess: &p\n  working_directory: ${instance.folder('web-3')}\n  start_command: [sleep, "1000"]\n`,
  );
  const odd = instance.define(
    'web-4',
    `global: { enabled: &on true }\nlabels: { a: *on }\nprocess:\n  working_directory: ${instance.folder('web-4')}\n  start_command: [sleep, "1000"]\n`,
  );
  const before = readFileSync(odd, 'utf8');
  for (const name of ['web-1', 'web-2', 'web-3', 'web-4', 'db']) await instance.running(name, 1);

  const { code, stdout, stderr } = await instance.pmctl('disable', 'web-*');

  expect(code).toBe(1);
  expect(stdout.match(/^web-\d: disabled/gm)).toEqual([
    'web-1: disabled',
    'web-2: disabled',
    'web-3: disabled',
  ]);
  expect(readFileSync(shared, 'utf8')).toContain('global: { enabled: false }\n');
  expect(stderr).toContain(
    `cannot disable 'web-4': ${odd}:1:24: global.enabled: cannot be set to false`,
  );
  expect(readFileSync(odd, 'utf8')).toBe(before);
  const phases = [...(await instance.statuses()).values()].map(({ phase }) => phase);
  expect(phases).toEqual(['RUNNING', 'DISABLED', 'DISABLED', 'DISABLED', 'RUNNING']);
});

test('a broken definition is not edited, and it is said where it is broken', async () => {
  const instance = await startInstance();
  defineByHand(instance, 'worker', '');
  const pids = await instance.running('worker', 1);
  const file = instance.define('worker', 'process:\n  start_comand: [sleep]\n');

  const { code, stderr } = await instance.pmctl('disable', 'worker');

  expect(code).toBe(1);
  expect(stderr).toContain('its definition is invalid, mend it first');
  expect(stderr).toContain(`${file}:2:`);
  expect(readFileSync(file, 'utf8')).toBe('process:\n  start_comand: [sleep]\n');
  expect(instance.pidsOf('worker')).toEqual(pids);
});

test.each<[string, (file: string, victim: string) => void]>([
  ['a link', (file, victim) => symlinkSync(victim, file)],
  [
    'a link that leads to a link',
    (file, victim) => {
      symlinkSync(victim, `${file}.hidden`);
      symlinkSync(`${file}.hidden`, file);
    },
  ],
  ["a link to the machine's own files", (file) => symlinkSync('/etc/hostname', file)],
])('a definition that its owner made %s is refused, and nothing is written', async (_, put) => {
  const instance = await startInstance();
  const victim = join(instance.root, 'victim.yaml');
  const definition = lines(instance.folder('worker'), 'true').join('\n');
  writeFileSync(victim, definition, { mode: 0o600 });
  const hostname = readFileSync('/etc/hostname', 'utf8');
  chownSync(instance.configDirectory, WWW_DATA, WWW_DATA);
  const file = defineByHand(instance, 'worker', 'true');
  chownSync(file, WWW_DATA, WWW_DATA);
  const pids = await instance.running('worker', 1);
  await instance.phase('worker', 'RUNNING');

  rmSync(file);
  put(file, victim);
  for (const name of readdirSync(instance.configDirectory)) {
    lchownSync(join(instance.configDirectory, name), WWW_DATA, WWW_DATA);
  }
  const { code, stderr } = await instance.pmctl('disable', 'worker');

  expect(code).toBe(1);
  expect(stderr).toMatch(/link/);
  expect(readFileSync(victim, 'utf8')).toBe(definition);
  expect(statSync(victim)).toMatchObject({ uid: 0, gid: 0 });
  expect(statSync(victim).mode & 0o7777).toBe(0o600);
  expect(readFileSync('/etc/hostname', 'utf8')).toBe(hostname);
  expect(instance.pidsOf('worker')).toEqual(pids);
  const left = readdirSync(instance.configDirectory).filter((name) => name.includes('.tmp'));
  expect(left).toEqual([]);
});
