import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
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
import { waitFor } from './wait-for.ts';

const MARKER = '.pm_provisioned';
const USER = 'www-data';
const UID = Number(execFileSync('id', ['-u', USER], { encoding: 'utf8' }));
const DEADLINE = { deadlineMs: 20_000 };

/** A service that sleeps as {@link USER}, with these entries. */
function defineSleeper(instance: Instance, provisioning: readonly object[], rest: object = {}) {
  const process = { start_command: ['sleep', '1000'], user: USER };
  instance.defineScript('web', '', { process, provisioning, ...rest });
  return join(instance.root, 'work/web');
}

const eventOf = async (instance: Instance, kind: string) =>
  (await instance.events('web')).findLast((event) => event.kind === kind);

const told = (instance: Instance, kind: string) =>
  waitFor(() => eventOf(instance, kind), { what: `an event ${kind}`, ...DEADLINE });

const modeOf = (path: string) => statSync(path).mode & 0o7777;

test('a folder is given to its user, a program its capability, then the service starts', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  mkdirSync(join(folder, 'data/deep'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'data/deep/file'), '');
  copyFileSync('/bin/sleep', join(folder, 'bin/server'));
  defineSleeper(
    instance,
    [
      { path: '.', ownership: { owner: USER, group: USER, recursive: true }, mode: '0770' },
      { path: './bin/server', mode: '0755', add_net_bind_capability: true },
    ],
    { process: { start_command: ['./bin/server', '1000'], user: USER } },
  );
  await instance.phase('web', 'RUNNING', 20_000);

  for (const path of ['.', 'data', 'data/deep', 'data/deep/file', 'bin', 'bin/server']) {
    expect([path, statSync(join(folder, path)).uid]).toEqual([path, UID]);
  }
  expect(modeOf(folder)).toBe(0o770);
  expect(modeOf(join(folder, 'bin/server'))).toBe(0o755);
  expect(execFileSync('getcap', [join(folder, 'bin/server')], { encoding: 'utf8' })).toContain(
    'cap_net_bind_service=ep',
  );
  expect((await told(instance, 'service.provisioned')).message).toMatch(
    /^2 entries applied: entry 1 .*owner www-data:www-data recursively \(6 files and folders changed\), mode 0770; entry 2 /,
  );
  expect(await instance.status('web')).toMatchObject({
    provisioning_defined: true,
    provisioning_marker: join(folder, MARKER),
    provisioning_marker_exists: true,
  });
  expect(execFileSync('ls', ['-A', join(folder, 'bin')], { encoding: 'utf8' })).toBe('server\n');
});

test('what has a marker is left alone, also over a change of the entries, which is said', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  writeFileSync(join(folder, MARKER), '');
  defineSleeper(instance, [{ path: '.', mode: '0711' }]);
  const [pid] = await instance.running('web', 1);
  expect(modeOf(folder)).toBe(0o755);

  rmSync(join(folder, MARKER));
  expect((await instance.pmctl('update')).code).toBe(0);
  await waitFor(() => modeOf(folder) === 0o711, { what: 'the mode', ...DEADLINE });
  await waitFor(() => existsSync(join(folder, MARKER)), { what: 'the marker', ...DEADLINE });

  defineSleeper(instance, [{ path: '.', mode: '0750' }]);
  const outdated = async () => (await instance.pmctl('why', 'web')).stdout.includes('was changed');
  await waitFor(outdated, { what: 'why to say that the marker is older', ...DEADLINE });
  expect(modeOf(folder)).toBe(0o711);
  expect(instance.pidsOf('web')).toEqual([pid]);
});

test('a failure starts nothing, says what and how far, and a mended cause is found by itself', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  defineSleeper(instance, [
    { path: '.', mode: '0711' },
    { path: 'later', ownership: { owner: USER }, mode: '0700' },
  ]);
  const status = await instance.phase('web', 'BACKOFF', 20_000);
  const [condition] = status.conditions.filter(({ type }) => type === 'ProvisioningFailed');
  const message = `entry 2 of 2 ('${join(folder, 'later')}'): cannot change the owner of '${join(folder, 'later')}': No such file or directory (ENOENT); already applied: entry 1 '${folder}': mode 0711`;
  expect(condition?.message).toBe(message);
  expect((await told(instance, 'service.provisioning-failed')).message).toBe(message);
  const why = await instance.pmctl('why', 'web');
  expect(why.stdout).toContain('entry 2 of 2');
  expect(why.stdout).toContain('pmctl update');
  expect(existsSync(join(folder, MARKER))).toBe(false);
  expect(instance.pidsOf('web')).toEqual([]);
  const start = await instance.pmctl('start', 'web');
  expect([start.code, start.stdout + start.stderr]).toEqual([
    1,
    expect.stringContaining('entry 2'),
  ]);
  expect(await instance.status('web')).toMatchObject({ restarts_10m: 0, run: null });

  mkdirSync(join(folder, 'later'));
  expect((await instance.pmctl('update')).code).toBe(0);
  await instance.phase('web', 'RUNNING', 20_000);
  expect(statSync(join(folder, 'later')).uid).toBe(UID);
  expect((await instance.status('web'))?.conditions.map(({ type }) => type)).toEqual(['Populated']);
});

test('a marker that is a link, dangling or not, is refused before anything is changed', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  const outside = join(instance.root, 'outside');
  symlinkSync(outside, join(folder, MARKER));
  execFileSync('chown', ['-h', USER, folder, join(folder, MARKER)]);
  defineSleeper(instance, [{ path: '.', mode: '0700' }]);
  await instance.phase('web', 'BACKOFF', 20_000);

  expect((await told(instance, 'service.provisioning-failed')).message).toMatch(
    /^the marker '.*' is a symbolic link \(remove it\); already applied: nothing$/,
  );
  expect(existsSync(outside)).toBe(false);
  expect(modeOf(folder)).toBe(0o755);
});

test('links and foreign hard links that a service planted in its folder give it nothing', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  const victim = join(instance.root, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'shadow'), 'secret');
  chmodSync(join(victim, 'shadow'), 0o600);
  symlinkSync(victim, join(folder, 'linked-folder'));
  symlinkSync(join(victim, 'shadow'), join(folder, 'linked-file'));
  chownSync(folder, UID, UID);
  const tree = { path: '.', ownership: { owner: USER, recursive: true } };
  defineSleeper(instance, [tree]);
  await instance.phase('web', 'RUNNING', 20_000);
  expect((await told(instance, 'service.provisioned')).message).toContain('left alone');
  expect(lstatSync(join(folder, 'linked-file')).uid).toBe(0);

  execFileSync('ln', [join(victim, 'shadow'), join(folder, 'hard')]);
  rmSync(join(folder, MARKER));
  await instance.pmctl('update');
  const failure = await told(instance, 'service.provisioning-failed');
  expect(failure.message).toContain('it has 2 names');
  expect(failure.message).toContain(join(folder, 'hard'));
  expect(await instance.status('web')).toMatchObject({ phase: 'RUNNING' });
  const { uid, mode } = statSync(join(victim, 'shadow'));
  expect([uid, mode & 0o7777, readFileSync(join(victim, 'shadow'), 'utf8')]).toEqual([
    0,
    0o600,
    'secret',
  ]);
  expect(statSync(victim).uid).toBe(0);
});

test('neither a stop nor a removal waits for a large folder, and its update is done in the end', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  const make = 'for d in $(seq 20); do mkdir $d; (cd $d; seq 2500 | xargs touch); done';
  execFileSync('sh', ['-c', make], { cwd: folder });
  writeFileSync(join(folder, MARKER), '');
  const tree = [{ path: '.', ownership: { owner: USER, recursive: true } }];
  defineSleeper(instance, tree);
  await instance.running('web', 1);
  rmSync(join(folder, MARKER));
  await instance.pmctl('update');
  await told(instance, 'service.provisioning');
  const stop = await instance.pmctl('stop', 'web');
  expect(stop.code).toBe(0);
  expect(existsSync(join(folder, MARKER))).toBe(false);
  expect(instance.pidsOf('web')).toEqual([]);
  await waitFor(() => existsSync(join(folder, MARKER)), { what: 'the marker', ...DEADLINE });

  // What was begun for the old entries is given up; then all, as the service is no longer there.
  const back = { path: '.', ownership: { owner: 'root', recursive: true } };
  defineSleeper(instance, [back]);
  rmSync(join(folder, MARKER));
  expect((await instance.pmctl('start', 'web', '--no-wait')).code).toBe(0);
  const isOneBack = () =>
    readdirSync(folder).some((name) => statSync(join(folder, name)).uid === 0);
  await waitFor(isOneBack, { what: 'a first folder to be given back', ...DEADLINE });
  rmSync(join(instance.configDirectory, 'web.yaml'));
  await instance.pmctl('update');
  await waitFor(async () => (await instance.status('web')) === undefined, {
    what: 'web to be forgotten',
    ...DEADLINE,
  });
  expect(existsSync(join(folder, MARKER))).toBe(false);
}, 90_000);

test('a marker that was deleted is noticed by itself, and the process runs on', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  writeFileSync(join(folder, MARKER), '');
  defineSleeper(instance, [{ path: '.', mode: '0711' }]);
  const pids = await instance.running('web', 1);
  rmSync(join(folder, MARKER));
  const isDone = () => existsSync(join(folder, MARKER));
  await waitFor(isDone, { what: 'another marker', deadlineMs: 60_000 });
  expect(modeOf(folder)).toBe(0o711);
  expect(instance.pidsOf('web')).toEqual(pids);
}, 90_000);

test('a failure is tried again by itself, ever later, and is no restart', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  defineSleeper(instance, [{ path: 'later', mode: '0700' }], {
    restart_policy: { restart_backoff_ms: 50, tolerance: { max_restarts: 1 } },
  });
  const failures = async () =>
    (await instance.events('web')).filter(({ kind }) => kind === 'service.provisioning-failed');
  const several = async () => (await failures()).length >= 4;
  await waitFor(several, { what: 'four tries', ...DEADLINE });
  const [first = 0, second = 0, third = 0, fourth = 0] = (await failures()).map(
    ({ at_ms }) => at_ms,
  );
  expect(fourth - third).toBeGreaterThan(second - first);
  expect(await instance.status('web')).toMatchObject({ phase: 'BACKOFF', restarts_10m: 0 });
  mkdirSync(join(folder, 'later'));
  await instance.phase('web', 'RUNNING', 20_000);
});

/** What a service can do to its own folder while root works in it. */
const THIEF = `
import ctypes, os, time
renameat2 = ctypes.CDLL(None).renameat2
pairs = [(b'data', b'data-link'), (b'tree/a', b'tree-link'), (b'logs', b'logs-link')]
print('ready', flush=True)
while True:
    for one, other in pairs: renameat2(-100, one, -100, other, 2)
    try: os.symlink('OUTSIDE/new', '.pm_provisioned')
    except FileExistsError: pass
    try: os.unlink('.pm_provisioned')
    except FileNotFoundError: pass
`;

test('a service that exchanges everything in its folder for links gets nothing outside', async () => {
  const instance = await startInstance();
  const folder = instance.folder('web');
  const outside = join(instance.root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'precious'), 'precious');
  chmodSync(join(outside, 'precious'), 0o600);
  for (const name of ['data', 'tree', 'tree/a', 'logs']) mkdirSync(join(folder, name));
  for (const name of ['data-link', 'tree-link', 'logs-link'])
    symlinkSync(outside, join(folder, name));
  writeFileSync(join(folder, 'thief.py'), THIEF.replace('OUTSIDE', outside));
  writeFileSync(join(folder, MARKER), '');
  execFileSync('chown', ['-hR', `${USER}:${USER}`, folder]);
  const entries = [
    { path: 'data', mode: '0777', ownership: { owner: USER } },
    { path: '.', ownership: { owner: USER, group: USER, recursive: true } },
  ];
  const process = { start_command: ['python3', 'thief.py'], user: USER };
  defineSleeper(instance, entries, { process });
  await instance.running('web', 1);

  const untilMs = performance.now() + 10_000;
  while (performance.now() < untilMs) {
    await instance.pmctl('update');
    await instance.pmctl('restart', 'web', '--timeout', '2s');
  }
  expect((await instance.events('web')).map(({ kind }) => kind)).toContain(
    'service.provisioning-failed',
  );
  const names = execFileSync('ls', ['-A', outside], { encoding: 'utf8' });
  expect(names).toBe('precious\n');
  const [made, held] = [statSync(join(outside, 'precious')), statSync(outside)];
  expect([made.uid, made.mode & 0o7777, held.uid, held.mode & 0o7777]).toEqual([
    0, 0o600, 0, 0o755,
  ]);
  expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('precious');
}, 90_000);
