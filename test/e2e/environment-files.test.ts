import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Instance, Instance as Stopped, startInstance } from './harness.ts';
import { processEnvironment } from './kernel.ts';
import { waitFor } from './wait-for.ts';

/** Each of them asks a real daemon many things, maybe on a machine that is busy. */
vi.setConfig({ testTimeout: 120_000 });

const DEADLINE_MS = 30_000;
/** Of every value that must not be found anywhere. */
const SECRET = 'g3h31m';

/** One try, so that what went wrong stays in sight. */
const ONCE = { restart_policy: { policy: 'never' } };

function defineSleeper(
  instance: Instance,
  service: string,
  process: Readonly<Record<string, unknown>>,
  rest: Readonly<Record<string, unknown>> = {},
): void {
  instance.define(service, {
    process: {
      working_directory: instance.folder(service),
      start_command: ['/bin/sleep', '1000'],
      ...process,
    },
    ...rest,
  });
}

/** The environment of a service's only process once that is the command. */
async function environmentOf(instance: Instance, service: string, besides = 0) {
  const read = () => {
    const [pid, ...others] = instance.pidsOf(service);
    if (pid === undefined || others.length > 0 || pid === besides) return null;
    const isCommand = readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n';
    return isCommand ? { pid, variables: processEnvironment(pid) } : null;
  };
  return waitFor(read, { what: `the command of ${service}`, deadlineMs: DEADLINE_MS });
}

/** Every regular file below a folder, with its content. */
function filesBelow(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [file, readFileSync(file, 'latin1')] as const);
}

test('a service gets what files and encoded values say, later ones winning', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  writeFileSync(join(folder, 'token'), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'two-lines'), 'a\r\nb\r\n\r\n');
  writeFileSync(join(folder, 'defaults.env'), "A=1\nB=1\nexport C='1 # x'\nTOKEN=no\n");
  writeFileSync(join(folder, 'local.env'), 'B=2\nD="x\\ny"\nspring.profile=test\n');
  defineSleeper(instance, 'web', {
    user: 'www-data',
    env_file: ['defaults.env', '-missing.env', `-${join(folder, 'local.env')}`],
    environment: [
      { name: 'TOKEN', value: `@file://${join(folder, 'token')}` },
      { name: 'LINES', value: '@file://two-lines' },
      { name: 'a.b', value: '@file://token' },
      { name: 'HELLO', value: '@base64://aMOkbGxv' },
      { name: 'HEX', value: '@hex://686921' },
      { name: 'A', value: '3' },
    ],
  });
  const { variables } = await environmentOf(instance, 'web');
  expect(variables).toMatchObject({
    TOKEN: SECRET,
    LINES: 'a\r\nb\r\n',
    'a.b': SECRET,
    HELLO: 'hällo',
    HEX: 'hi!',
    A: '3',
    B: '2',
    C: '1 # x',
    D: 'x\ny',
    'spring.profile': 'test',
    USER: 'www-data',
  });
});

describe('a file that changes', () => {
  test('restarts its service when pmctl update looks, which says why; the diff told before', async () => {
    const instance = await startInstance();
    const folder = instance.folder('web');
    const [token, env] = [join(folder, 'token'), join(folder, '.env')];
    writeFileSync(token, `${SECRET}1`);
    writeFileSync(env, `MODE=${SECRET}1\n`);
    defineSleeper(instance, 'web', {
      env_file: ['.env'],
      environment: [{ name: 'TOKEN', value: '@file://token' }],
    });
    defineSleeper(instance, 'other', { environment: [{ name: 'A', value: '@hex://61' }] });
    const first = await environmentOf(instance, 'web');
    const other = await environmentOf(instance, 'other');

    // What says the same is no change.
    writeFileSync(token, `${SECRET}1\n`);
    writeFileSync(env, `# a comment\nMODE='${SECRET}1'\n`);
    expect((await instance.pmctl('diff')).stdout).toContain('nothing is pending');
    expect((await instance.pmctl('update')).stdout).toBe('nothing changed\n');

    writeFileSync(token, `${SECRET}2`);
    const diff = await instance.pmctl('diff', '--exit-code');
    expect(diff).toMatchObject({ code: 10 });
    expect(diff.stdout).toMatch(/^web {2}restart {2}\(/);
    expect(diff.stdout).toMatch(/process\.environment\[TOKEN\]: \*\*\* \(changed\) {3}web\.yaml:1/);
    // To look is not to act: a second look still finds it.
    expect((await instance.pmctl('update', '--dry-run')).stdout).toContain('1 restart');
    expect(instance.pidsOf('web')).toEqual([first.pid]);

    const update = await instance.pmctl('update');
    expect(update).toMatchObject({
      code: 0,
      stdout: 'web: process.environment[TOKEN]: content of @file://token changed\n',
    });
    const second = await environmentOf(instance, 'web', first.pid);
    expect(second.variables).toMatchObject({ TOKEN: `${SECRET}2`, MODE: `${SECRET}1` });
    const events = await instance.events('web');
    expect(events.map(({ message }) => message)).toContain(
      'SIGTERM: process.environment[TOKEN]: content of @file://token changed',
    );

    writeFileSync(env, `MODE=${SECRET}3\n`);
    expect((await instance.pmctl('update')).stdout).toBe(
      `web: process.env_file: content of ${env} changed\n`,
    );
    const third = await environmentOf(instance, 'web', second.pid);
    expect(third.variables).toMatchObject({ TOKEN: `${SECRET}2`, MODE: `${SECRET}3` });
    expect((await instance.pmctl('update')).stdout).toBe('nothing changed\n');
    expect(instance.pidsOf('web')).toEqual([third.pid]);
    expect(instance.pidsOf('other')).toEqual([other.pid]);
  });

  test('is noticed by the next daemon when none was there', async () => {
    const instance = await startInstance();
    const token = join(instance.folder('web'), 'token');
    writeFileSync(token, `${SECRET}1`);
    defineSleeper(instance, 'web', { environment: [{ name: 'TOKEN', value: '@file://token' }] });
    const first = await environmentOf(instance, 'web');
    await instance.phase('web', 'RUNNING', DEADLINE_MS);

    await instance.endDaemon('SIGKILL');
    await instance.start();
    await instance.phase('web', 'RUNNING', DEADLINE_MS);
    expect((await instance.pmctl('update')).stdout).toBe('nothing changed\n');
    expect(instance.pidsOf('web')).toEqual([first.pid]);

    await instance.endDaemon('SIGKILL');
    writeFileSync(token, `${SECRET}2`);
    await instance.start();
    const second = await environmentOf(instance, 'web', first.pid);
    expect(second.variables.TOKEN).toBe(`${SECRET}2`);
  });

  test('waits for pmctl update where changes do', async () => {
    const instance = new Stopped('  apply: manual\n');
    const token = join(instance.folder('web'), 'token');
    writeFileSync(token, `${SECRET}1`);
    defineSleeper(instance, 'web', { environment: [{ name: 'TOKEN', value: '@file://token' }] });
    await instance.start();
    const first = await environmentOf(instance, 'web');

    writeFileSync(token, `${SECRET}2`);
    // A definition that is not in force yet makes the daemon read everything.
    defineSleeper(instance, 'new', {});
    const pending = async () =>
      (await instance.status('web'))?.conditions.find(({ type }) => type === 'ChangePending');
    const condition = await waitFor(pending, { what: 'the change', deadlineMs: DEADLINE_MS });
    expect(condition.message).toContain('content of @file://token changed; pmctl update');
    expect(instance.pidsOf('web')).toEqual([first.pid]);

    expect((await instance.pmctl('update')).stdout).toContain('web: process.environment[TOKEN]');
    const second = await environmentOf(instance, 'web', first.pid);
    expect(second.variables.TOKEN).toBe(`${SECRET}2`);
  });
});

test('a file that becomes unreadable leaves its service running and says so; mended, all is well', async () => {
  const instance = await startInstance();
  const token = join(instance.folder('web'), 'token');
  writeFileSync(token, SECRET);
  defineSleeper(
    instance,
    'web',
    { environment: [{ name: 'TOKEN', value: '@file://token' }] },
    { restart_policy: { restart_backoff_ms: 50, tolerance: { max_restarts: 1 } } },
  );
  const { pid } = await environmentOf(instance, 'web');
  renameSync(token, `${token}.gone`);
  await instance.pmctl('update');
  const shown = await instance.pmctl('status', 'web');
  expect(shown.stdout).toContain('could not be started again');
  expect(shown.stdout).toContain(`cannot read '${token}': No such file or directory`);
  const conditions = async () => (await instance.status('web'))?.conditions ?? [];
  expect((await conditions()).map(({ type }) => type)).toContain('EnvironmentUnreadable');
  expect(instance.pidsOf('web')).toEqual([pid]);

  process.kill(pid, 'SIGKILL');
  const failed = await instance.phase('web', 'FAILED', DEADLINE_MS);
  expect(failed.last_exit?.message).toContain('process.environment[TOKEN]: cannot read');
  await instance.gone('web');

  // That it can be read again is a reason to try again.
  renameSync(`${token}.gone`, token);
  await instance.pmctl('update');
  expect((await environmentOf(instance, 'web', pid)).variables.TOKEN).toBe(SECRET);
});

describe('a start', () => {
  test('fails with the reason for what is no file of reasonable size, and never hangs', async () => {
    const instance = await startInstance();
    const folder = instance.folder('web');
    const at = (name: string) => join(folder, name);
    execFileSync('mkfifo', [at('fifo')]);
    mkdirSync(at('folder'));
    writeFileSync(at('large'), Buffer.alloc(64 * 1024 + 1, SECRET));
    writeFileSync(at('nul'), `${SECRET}\0${SECRET}`);
    writeFileSync(at('latin1'), Buffer.from([0x67, 0xe4]));
    writeFileSync(at('bad.env'), `A=1\n${SECRET} = ${SECRET}\n`);
    type Process = { readonly value?: string; readonly env_file?: readonly string[] };
    const cases: readonly (readonly [string, Process, RegExp])[] = [
      ['fifo', { value: '@file://fifo' }, /fifo': it is no regular file/],
      ['device', { value: '@file:///dev/zero' }, /'\/dev\/zero': it is no regular file/],
      ['folder', { value: '@file://folder' }, /folder': it is no regular file/],
      ['missing', { value: '@file://missing' }, /missing': No such file or directory/],
      ['large', { value: '@file://large' }, /large': it is larger than 65536 bytes/],
      ['nul', { value: '@file://nul' }, /nul': expected UTF-8 text without NUL/],
      ['latin', { value: '@file://latin1' }, /latin1': expected UTF-8 text without NUL/],
      [
        'dotenv',
        { env_file: ['bad.env'] },
        /process\.env_file: \S*bad\.env:2: expected NAME=VALUE/,
      ],
      [
        'nofile',
        { env_file: ['none.env'] },
        /process\.env_file: cannot read '\S*none\.env': No such/,
      ],
      ['envdev', { env_file: ['-/dev/zero'] }, /'\/dev\/zero': it is no regular file/],
    ];
    for (const [service, { value, ...rest }] of cases) {
      const environment = value === undefined ? [] : [{ name: 'TOKEN', value }];
      defineSleeper(instance, service, { working_directory: folder, environment, ...rest }, ONCE);
    }
    for (const [service, , reason] of cases) {
      const { last_exit } = await instance.phase(service, 'FAILED', DEADLINE_MS);
      expect(last_exit?.message).toMatch(reason);
      expect(last_exit?.message).not.toContain(SECRET);
      expect(existsSync(instance.cgroupOf(service))).toBe(false);
    }
  });

  test('is bounded by what it reads of a file that grows', async () => {
    const instance = await startInstance();
    const growing = join(instance.folder('web'), 'growing');
    writeFileSync(growing, Buffer.alloc(60 * 1024, 'x'));
    const script = `while printf '%01000d' 0; do sleep 0.01; done >>'${growing}'`;
    const writer = spawn('/bin/sh', ['-c', script]);
    onTestFinished(() => void writer.kill('SIGKILL'));
    const isLarge = () => statSync(growing).size > 64 * 1024;
    await waitFor(isLarge, { what: 'the file to grow', deadlineMs: DEADLINE_MS });
    defineSleeper(
      instance,
      'web',
      { environment: [{ name: 'A', value: '@file://growing' }] },
      ONCE,
    );
    const { last_exit } = await instance.phase('web', 'FAILED', DEADLINE_MS);
    writer.kill('SIGKILL');
    expect(last_exit?.message).toContain('it is larger than 65536 bytes');
  });

  test('waits out the backoff and comes when the file does', async () => {
    const instance = await startInstance();
    const token = join(instance.folder('web'), 'token');
    defineSleeper(
      instance,
      'web',
      { environment: [{ name: 'TOKEN', value: '@file://token' }] },
      { restart_policy: { restart_backoff_ms: 500, tolerance: { max_restarts: 100 } } },
    );
    await instance.phase('web', 'BACKOFF', DEADLINE_MS);
    writeFileSync(token, SECRET);
    expect((await environmentOf(instance, 'web')).variables.TOKEN).toBe(SECRET);
  });

  test('does not follow a link that the service could have put there', async () => {
    const instance = await startInstance();
    const folder = instance.folder('web');
    symlinkSync('/etc/hostname', join(folder, 'token'));
    execFileSync('chown', ['-hR', 'www-data:www-data', folder]);
    const process = { user: 'www-data', environment: [{ name: 'A', value: '@file://token' }] };
    defineSleeper(instance, 'web', process, ONCE);
    const { last_exit } = await instance.phase('web', 'FAILED', DEADLINE_MS);
    expect(last_exit?.message).toMatch(/token' is a symbolic link/);
  });
});

describe('a definition that others than root can write', () => {
  const WWW = Number(execFileSync('id', ['-u', 'www-data'], { encoding: 'utf8' }));

  function defineAuto(instance: Instance, service: string, secret: string): string {
    const folder = join(instance.autoServiceDirectory, service);
    mkdirSync(folder);
    const file = join(folder, 'service.yml');
    const process = {
      start_command: ['/bin/sleep', '1000'],
      user: 'www-data',
      environment: [{ name: 'TOKEN', value: `@file://${secret}` }],
    };
    writeFileSync(file, JSON.stringify({ process, ...ONCE }));
    return folder;
  }

  test('gets what the user of the service may read, and nothing else', async () => {
    const instance = new Stopped();
    const [closed, open] = [join(instance.root, 'closed'), join(instance.root, 'open')];
    mkdirSync(join(instance.root, 'shut'), { mode: 0o700 });
    const shut = join(instance.root, 'shut/open');
    writeFileSync(closed, SECRET, { mode: 0o600 });
    for (const file of [open, shut]) writeFileSync(file, SECRET, { mode: 0o644 });
    for (const [service, secret] of [
      ['closed', closed],
      ['shut', shut],
      ['open', open],
      ['linked', closed],
    ] as const) {
      const folder = defineAuto(instance, service, secret);
      chownSync(folder, WWW, WWW);
      chmodSync(folder, 0o755);
    }
    defineAuto(instance, 'trusted', closed);
    const ours = defineAuto(instance, 'file', closed);
    chmodSync(join(ours, 'service.yml'), 0o666);
    await instance.start();

    expect((await environmentOf(instance, 'open')).variables.TOKEN).toBe(SECRET);
    expect((await environmentOf(instance, 'trusted')).variables.TOKEN).toBe(SECRET);
    for (const [service, what] of [
      ['closed', 'read it'],
      ['file', 'read it'],
      ['shut', `search '${join(instance.root, 'shut')}'`],
    ] as const) {
      const { last_exit } = await instance.phase(service, 'FAILED', DEADLINE_MS);
      expect(last_exit?.message).toContain(`user 'www-data' may not ${what}`);
      expect(last_exit?.message).toContain('others than root can write the definition');
    }

    // The last good definition stays in force, and is no more trusted for what is there now.
    const definition = join(instance.autoServiceDirectory, 'linked/service.yml');
    await instance.phase('linked', 'FAILED', DEADLINE_MS);
    rmSync(definition);
    symlinkSync(join(instance.autoServiceDirectory, 'trusted/service.yml'), definition);
    await instance.pmctl('update');
    await instance.pmctl('start', 'linked');
    expect((await instance.status('linked'))?.conditions.map(({ type }) => type)).toContain(
      'DefinitionInvalid',
    );
    expect((await instance.status('linked'))?.last_exit?.message).toContain('may not read it');
    expect(instance.pidsOf('linked')).toEqual([]);
  });
});

test('nothing that was read can be found in what is kept, shown or logged', async () => {
  const instance = new Stopped();
  const work = instance.folder('web');
  writeFileSync(join(work, 'token'), `${SECRET}1`, { mode: 0o600 });
  writeFileSync(join(work, '.env'), `PLAIN=${SECRET}\nx.y=${SECRET}\n`, { mode: 0o600 });
  writeFileSync(join(work, 'bad'), `${SECRET}\0`, { mode: 0o600 });
  defineSleeper(instance, 'web', {
    env_file: ['.env'],
    environment: [
      { name: 'PLAIN_TOO', value: '@file://token' },
      { name: 'ENCODED', value: `@base64://${Buffer.from(SECRET).toString('base64')}` },
      { name: 'HEX', value: `@hex://${Buffer.from(SECRET).toString('hex')}` },
    ],
    stop_command: ['/bin/sh', '-c', 'echo $(printf %s "$PLAIN_TOO" | wc -c)'],
    stop_grace_period_ms: 200,
  });
  defineSleeper(instance, 'bad', { environment: [{ name: 'A', value: '@file://bad' }] }, ONCE);
  await instance.start();
  const first = await environmentOf(instance, 'web');
  await instance.phase('bad', 'FAILED', DEADLINE_MS);
  writeFileSync(join(work, 'token'), `${SECRET}2`);
  appendFileSync(join(work, '.env'), `MORE=${SECRET}`);
  const outputs = [
    await instance.pmctl('diff'),
    await instance.pmctl('diff', '--format', 'json'),
    await instance.pmctl('update', '--format', 'json'),
  ];
  await environmentOf(instance, 'web', first.pid);
  for (const args of [
    ['status'],
    ['status', 'bad'],
    ['describe', 'web'],
    ['why', 'web'],
    ['why', 'bad'],
    ['events', '-n', '1000'],
    ['restart', 'web'],
  ]) {
    outputs.push(await instance.pmctl(...args));
    outputs.push(await instance.pmctl(...args, '--format', 'json'));
  }
  const described = (await instance.pmctl('describe', 'web')).stdout;
  expect(described).toContain('@file://token');
  expect(described).toContain('@base64://***');
  expect(described).toContain('@hex://***');
  expect(described).toContain(join(work, '.env'));

  const stopLog = readFileSync(join(work, 'logs/stop_command_stdout.log'), 'utf8');
  expect(stopLog).toMatch(new RegExp(`^(${SECRET.length + 1}\n)+$`));
  for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toContain(SECRET);
  const shown = outputs.map(({ stdout }) => stdout).join('');
  expect(shown).not.toContain(Buffer.from(SECRET).toString('base64'));
  expect(shown).not.toContain(Buffer.from(SECRET).toString('hex'));
  expect(instance.daemonOutput).toContain('web');
  expect(instance.daemonOutput).not.toContain(SECRET);
  await instance.endDaemon('SIGKILL');
  const kept = ['state', 'run'].flatMap((folder) => filesBelow(join(instance.root, folder)));
  expect(kept.length).toBeGreaterThan(3);
  for (const [file, content] of kept) expect(content.includes(SECRET), file).toBe(false);
  const key = join(instance.root, 'state/environment.key');
  expect(statSync(key)).toMatchObject({ uid: 0, size: 32 });
  expect(statSync(key).mode & 0o777).toBe(0o600);
  await instance.start();
});
