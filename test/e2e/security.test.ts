import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Instance, startInstance } from './harness.ts';
import { processEnvironment, processField } from './kernel.ts';
import { waitFor } from './wait-for.ts';

test("a service's process is its user, that user's groups and nothing of the daemon's", async () => {
  const instance = await startInstance();
  const user = 'www-data';
  const id = (option: string) => execFileSync('id', [option, user], { encoding: 'utf8' }).trim();
  instance.defineScript('worker', '', {
    process: {
      start_command: ['sleep', '1000'],
      user,
      umask: '0027',
      environment: [{ name: 'GREETING', value: 'hello' }],
    },
  });
  const [pid = 0] = await instance.running('worker', 1);
  await waitFor(() => processField(pid, 'Name') === 'sleep', { what: 'the command to run' });

  expect(processField(pid, 'Uid')?.split('\t')).toEqual(Array(4).fill(id('-u')));
  expect(processField(pid, 'Gid')?.split('\t')).toEqual(Array(4).fill(id('-g')));
  expect(processField(pid, 'Groups')?.split(' ').toSorted()).toEqual(
    id('-G').split(' ').toSorted(),
  );
  expect(processField(pid, 'CapEff')).toBe('0000000000000000');
  expect(processField(pid, 'Umask')).toBe('0027');
  const environment = processEnvironment(pid);
  expect(Object.keys(environment).toSorted()).toEqual(
    ['GREETING', 'HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'USER'].toSorted(),
  );
  expect(environment).toMatchObject({ USER: user, GREETING: 'hello' });
  const open = execFileSync('ls', [`/proc/${pid}/fd`], { encoding: 'utf8' }).split('\n');
  expect(open.filter(Boolean)).toEqual(['0', '1', '2']);
  expect(processField(pid, 'NSsid')).toBe(String(pid));
});

test('log files are for root and the group alone, whoever the service is', async () => {
  const instance = await startInstance();
  instance.defineScript('worker', 'echo hello; exec sleep 1000', {
    process: { user: 'www-data' },
  });
  const log = join(instance.folder('worker'), 'logs/stdout.log');
  const isWritten = () => existsSync(log) && readFileSync(log, 'utf8') === 'hello\n';
  await waitFor(isWritten, { what: 'the log' });

  expect(statSync(log)).toMatchObject({ uid: 0 });
  expect(statSync(log).mode & 0o777).toBe(0o640);
});

test('a log file that its service made a link is refused, and nothing is written through it', async () => {
  const instance = await startInstance();
  const victim = join(instance.root, 'victim');
  writeFileSync(victim, 'precious\n');
  const folder = instance.folder('thief');
  mkdirSync(join(folder, 'logs'));
  symlinkSync(victim, join(folder, 'logs/stdout.log'));
  execFileSync('chown', ['-hR', 'www-data:www-data', folder]);
  instance.defineScript('thief', 'while true; do echo stolen; sleep 0.1; done', {
    process: { user: 'www-data' },
    restart_policy: { restart_backoff_ms: 50, tolerance: { max_restarts: 1 } },
  });

  const refusal = await waitFor(
    async () => (await instance.events('thief')).find(({ message }) => message.includes(folder)),
    { what: 'an event that names the path' },
  );
  expect(refusal.message).toMatch(/link/i);
  expect(readFileSync(victim, 'utf8')).toBe('precious\n');
});

const HOSTILE: Readonly<Record<string, (path: string) => void>> = {
  fifo: (path) => void execFileSync('mkfifo', [path]),
  device: (path) => void execFileSync('mknod', [path, 'c', '1', '5']),
  loop: (path) => symlinkSync(path, path),
  dangling: (path) => symlinkSync('/nonexistent', path),
  folder: (path) => mkdirSync(path),
  large: (path) => writeFileSync(path, `# ${'x'.repeat(10_000_000)}`),
  nul: (path) => writeFileSync(path, 'process:\0'),
  encoding: (path) => writeFileSync(path, Buffer.from([0x61, 0x3a, 0x20, 0xff])),
  bomb: (path) => writeFileSync(path, `a: &a x\nb: [${'*a,'.repeat(200_000)}]`),
  twice: (path) => writeFileSync(path, 'process: {}\nprocess: {}\n'),
  tabs: (path) => writeFileSync(path, 'process:\n\tworking_directory: /srv\n'),
};

test('hostile files among two thousand definitions are errors of their own names, and others run', async () => {
  const instance = new Instance();
  for (const [name, make] of Object.entries(HOSTILE)) {
    make(join(instance.configDirectory, `${name}.yaml`));
  }
  const text = 'process: {working_directory: /srv}\nglobal: {enabled: false}\n';
  for (let count = 0; count < 2_000; count += 1) {
    writeFileSync(join(instance.configDirectory, `many-${count}.yaml`), text);
  }
  instance.defineScript('good', 'exec sleep 1000');
  await instance.start();
  await instance.running('good', 1, 60_000);

  const shown = await waitFor(
    async () => {
      const statuses = await instance.statuses();
      return statuses.size === 2_001 + Object.keys(HOSTILE).length ? statuses : null;
    },
    { what: 'all definitions to be shown', deadlineMs: 60_000 },
  );
  for (const name of Object.keys(HOSTILE)) {
    const { phase, conditions } = shown.get(name) ?? {};
    expect([name, phase]).toEqual([name, 'INVALID']);
    expect(conditions?.find(({ type }) => type === 'DefinitionInvalid')?.message).toContain(
      join(instance.configDirectory, `${name}.yaml`),
    );
  }
  expect(shown.get('many-1999')).toMatchObject({ phase: 'DISABLED' });
}, 180_000);

test('only root may use the socket unless the config says otherwise', async () => {
  const instance = await startInstance();
  expect(statSync(instance.socket).mode & 0o777).toBe(0o660);
  expect(statSync(instance.socket)).toMatchObject({ uid: 0, gid: 0 });
});
