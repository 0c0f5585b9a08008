import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Instance, startInstance } from './harness.ts';

/** Two lines for the folder and the command, then what else belongs to `process`. */
function definition(folder: string, command: string, ...more: readonly string[]): string {
  const lines = [`working_directory: ${folder}`, `start_command: [sleep, "${command}"]`, ...more];
  return ['process:', ...lines.map((line) => `  ${line}`), ''].join('\n');
}

/** A file that lies nowhere near the definitions. */
function draft(instance: Instance, file: string, text: string): string {
  mkdirSync(join(instance.root, 'drafts'), { recursive: true });
  const path = join(instance.root, 'drafts', file);
  writeFileSync(path, text);
  return path;
}

test('a file is shown by what dropping it would do, and nothing is done', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  instance.define('web', definition(folder, '1000'));
  instance.define('db', definition(folder, '1000'));
  const before = await instance.running('web', 1);
  await instance.running('db', 1);
  const file = draft(instance, 'web.yaml', definition(folder, '2000', 'stop_grace_period_ms: 100'));

  const { code, stdout, stderr } = await instance.pmctl('diff', file);

  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(
    `web  restart  (${file}, generation 1 → 2)
  process.start_command: ["sleep","1000"] → ["sleep","2000"]   web.yaml:3
  process.stop_grace_period_ms: 5000 → 100   web.yaml:4
1 restart; 1 unchanged
`,
  );
  expect((await instance.pmctl('diff', file, '--exit-code')).code).toBe(10);
  expect(instance.pidsOf('web')).toEqual(before);
  expect(readFileSync(join(instance.configDirectory, 'web.yaml'), 'utf8')).toContain('1000');

  const same = draft(instance, 'db.yaml', definition(folder, '1000'));
  const nothing = await instance.pmctl('diff', same, '--exit-code');
  expect(nothing).toMatchObject({ code: 0, stdout: 'nothing is pending; 2 unchanged\n' });
});

test('each kind of change has its word', async () => {
  const instance = await startInstance();
  const folder = instance.folder('all');
  for (const name of ['restarted', 'lived', 'stopped']) {
    instance.define(name, definition(folder, '1000'));
    await instance.running(name, 1);
    await instance.phase(name, 'RUNNING');
  }
  const files = [
    draft(instance, 'restarted.yaml', definition(folder, '1000', 'nice: 5')),
    draft(instance, 'lived.yaml', definition(folder, '1000', 'stop_signal: SIGINT')),
    draft(instance, 'stopped.yaml', `${definition(folder, '1000')}global: {enabled: false}\n`),
    draft(instance, 'fresh.yaml', definition(folder, '1000')),
    draft(instance, 'off.yaml', `${definition(folder, '1000')}global: {enabled: false}\n`),
  ];

  const { code, stdout } = await instance.pmctl('diff', ...files, '--format', 'json');

  expect(code).toBe(0);
  const changes = JSON.parse(stdout).changes as { name: string; kind: string; runs: boolean }[];
  expect(changes.map(({ name, kind, runs }) => [name, kind, runs])).toEqual([
    ['fresh', 'start', false],
    ['lived', 'live', true],
    ['off', 'live', false],
    ['restarted', 'restart', true],
    ['stopped', 'stop', true],
  ]);
  expect(await instance.status('fresh')).toBeUndefined();
});

test('what is secret by its name is never shown, what is not is shown by its own line', async () => {
  const instance = await startInstance();
  const folder = instance.folder('shop');
  const environment = (password: string, zone: string) => [
    'environment:',
    `  - {name: DB_PASSWORD, value: ${password}}`,
    `  - {name: TZ, value: ${zone}}`,
  ];
  instance.define('shop', definition(folder, '1000', ...environment('hunter2', 'UTC')));
  await instance.running('shop', 1);
  const file = draft(
    instance,
    'shop.yaml',
    definition(folder, '1000', ...environment('swordfish', 'CET')),
  );

  for (const format of ['text', 'json']) {
    const { stdout, stderr } = await instance.pmctl('diff', file, '--format', format);
    expect(stdout + stderr).not.toMatch(/hunter2|swordfish/);
  }
  expect((await instance.pmctl('diff', file)).stdout).toContain(
    `
  process.environment[DB_PASSWORD]: *** (changed)   shop.yaml:5
  process.environment[TZ]: "UTC" → "CET"   shop.yaml:6
`,
  );
});

test('a file that would be wrong or a second definition ends with the code for that', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  const taken = instance.define('web', definition(folder, '1000'));
  await instance.running('web', 1);

  const broken = draft(instance, 'web.yaml', 'process:\n  working_directory: /tmp\n  niece: 5\n');
  const invalid = await instance.pmctl('diff', broken, '--exit-code');
  expect(invalid).toMatchObject({ code: 9, stdout: expect.stringContaining('1 invalid') });
  expect(invalid.stderr).toContain(`${broken}:3:3: process: unknown key "niece"`);

  const twin = draft(instance, 'twin.yaml', `application: web\n${definition(folder, '1')}`);
  const conflict = await instance.pmctl('diff', twin);
  expect(conflict.code).toBe(9);
  expect(conflict.stderr).toContain(taken);
  expect(conflict.stderr).toContain(twin);

  const code = async (...args: string[]) => (await instance.pmctl('diff', ...args)).code;
  expect(await code(draft(instance, 'web.txt', definition(folder, '1')))).toBe(2);
  expect(await code(join(instance.root, 'missing.yaml'))).toBe(1);
  expect(await code(draft(instance, 'large.yaml', '#'.repeat(1_100_000)))).toBe(9);
  const half = '#'.repeat(600_000);
  expect(await code(draft(instance, 'a.yaml', half), draft(instance, 'b.yaml', half))).toBe(2);
  expect((await instance.pmctl('update', '--exit-code')).code).toBe(2);
});

test('an auto service is compared in its own place', async () => {
  const instance = await startInstance();
  const folder = join(instance.autoServiceDirectory, 'box');
  mkdirSync(folder);
  const file = join(folder, 'service.yml');
  writeFileSync(file, 'process: {start_command: [sleep, "1000"]}\n');
  await instance.running('box', 1);

  const { stdout } = await instance.pmctl('diff', file, '--exit-code');
  expect(stdout).toBe('nothing is pending; 1 unchanged\n');
});

test('what a brake holds is a change only when it would be let go', async () => {
  const instance = await startInstance();
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) instance.define(name, definition(instance.folder(name), '1000'));
  for (const name of names) await instance.running(name, 1);
  const files = names.map((name) => join(instance.configDirectory, `${name}.yaml`));
  const before = names.map((name) => instance.pidsOf(name));
  for (const file of files) rmSync(file);
  await instance.pmctl('update');

  const held = await instance.pmctl('diff', '--exit-code');
  expect(held).toMatchObject({ code: 0, stdout: 'nothing is pending; 0 unchanged\n' });
  expect(held.stderr).toContain('pmctl update --prune stops them');
  const pruned = await instance.pmctl('update', '--dry-run', '--prune', '--exit-code');
  expect(pruned.code).toBe(10);
  expect(pruned.stdout).toContain(`a  remove  (${files[0]}, generation 1, running)\n`);
  expect(pruned.stdout).toContain('\n4 remove; 0 unchanged\n');
  expect(names.map((name) => instance.pidsOf(name))).toEqual(before);
  expect(existsSync(instance.cgroupOf('a'))).toBe(true);
});
