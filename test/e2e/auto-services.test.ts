import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
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
import { expect, onTestFinished, test } from 'vitest';
import { start } from '../host/rig.ts';
import { Instance } from './harness.ts';
import { waitFor } from './wait-for.ts';

const SCRIPT = '#!/bin/sh\nexec sleep 1000\n';
const MARKER = '.regen_pm_config';
const NOBODY = 65534;
const DEADLINE_MS = 20_000;

/** Its first reading, which takes everything as it is, is over. */
async function startInstance(global = ''): Promise<Instance> {
  const instance = new Instance(global);
  await startDaemon(instance);
  return instance;
}

async function startDaemon(instance: Instance): Promise<void> {
  const count = () => instance.daemonOutput.split('"msg":"daemon.started"').length;
  const before = count();
  await instance.start();
  await waitFor(() => count() > before, { what: 'the first reading', deadlineMs: DEADLINE_MS });
}

/** A folder that would be a service with its script alone; made beside the watched one. */
function prepare(instance: Instance, name: string): string {
  const folder = join(instance.root, `prepared-${name}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'run.sh'), SCRIPT, { mode: 0o755 });
  return folder;
}

function place(instance: Instance, name: string): string {
  const folder = join(instance.autoServiceDirectory, name);
  renameSync(prepare(instance, name), folder);
  return folder;
}

const definitionOf = (folder: string) => join(folder, 'service.yml');

async function generated(folder: string): Promise<string> {
  const isThere = () => existsSync(definitionOf(folder));
  await waitFor(isThere, { what: `service.yml in ${folder}`, deadlineMs: DEADLINE_MS });
  return readFileSync(definitionOf(folder), 'utf8');
}

function event(instance: Instance, service: string, kind: string, text = '') {
  const read = async () =>
    (await instance.events(service)).find((row) => row.kind === kind && row.message.includes(text));
  return waitFor(read, { what: `${kind} of ${service}`, deadlineMs: DEADLINE_MS });
}

async function countOf(instance: Instance, service: string, kind: string): Promise<number> {
  return (await instance.events(service)).filter((row) => row.kind === kind).length;
}

test('a folder, a script and chmod +x are a service, and a definition to edit is written', async () => {
  const instance = await startInstance();
  const folder = join(instance.autoServiceDirectory, 'box');
  mkdirSync(folder);
  writeFileSync(join(folder, 'run.sh'), SCRIPT);
  const chmoddedAt = performance.now();
  chmodSync(join(folder, 'run.sh'), 0o755);

  const pids = await instance.running('box', 1);
  expect(performance.now() - chmoddedAt).toBeLessThan(3_000);
  const text = await generated(folder);
  expect(text).toContain('\n  stop_grace_period_ms: 5000');
  expect(text).toContain('\n  # stop_command: ');
  await event(instance, 'box', 'definition.generated', definitionOf(folder));

  // Nothing that is in it is news, and it stays as it is.
  const { ino, mtimeMs } = statSync(definitionOf(folder));
  expect((await instance.pmctl('update')).code).toBe(0);
  expect(instance.pidsOf('box')).toEqual(pids);
  expect(statSync(definitionOf(folder))).toMatchObject({ ino, mtimeMs });
  expect(await countOf(instance, 'box', 'definition.changed')).toBe(0);

  writeFileSync(definitionOf(folder), text.replace('nice: 0', 'nice: 5'));
  const restarted = async () => {
    const now = await instance.running('box', 1);
    return now[0] === pids[0] ? null : now;
  };
  await waitFor(restarted, { what: 'the edit to be in force', deadlineMs: DEADLINE_MS });
});

test("the definition is its folder's owner's, and so is nothing else", async () => {
  const instance = await startInstance();
  const folder = prepare(instance, 'theirs');
  chownSync(folder, NOBODY, NOBODY);
  renameSync(folder, join(instance.autoServiceDirectory, 'theirs'));
  const there = join(instance.autoServiceDirectory, 'theirs');
  await generated(there);
  const { uid, gid, mode, nlink } = statSync(definitionOf(there));
  expect([uid, gid, mode & 0o7777, nlink]).toEqual([NOBODY, NOBODY, 0o644, 1]);
  await instance.running('theirs', 1);
});

test('a folder with a definition keeps it: service.yml wins over service.yaml', async () => {
  const instance = await startInstance();
  const both = prepare(instance, 'both');
  writeFileSync(join(both, 'service.yml'), 'description: first\n');
  writeFileSync(join(both, 'service.yaml'), 'description: second\n');
  const other = prepare(instance, 'other');
  writeFileSync(join(other, 'service.yaml'), 'description: third\n');
  renameSync(both, join(instance.autoServiceDirectory, 'both'));
  renameSync(other, join(instance.autoServiceDirectory, 'other'));

  await instance.running('both', 1);
  await instance.running('other', 1);
  const describe = async (name: string) => (await instance.pmctl('describe', name)).stdout;
  expect(await describe('both')).toContain('first');
  expect(await describe('other')).toContain('third');
  expect((await instance.pmctl('update')).code).toBe(0);
  expect(readFileSync(join(instance.autoServiceDirectory, 'both/service.yml'), 'utf8')).toBe(
    'description: first\n',
  );
  expect(readdirSync(join(instance.autoServiceDirectory, 'other'))).not.toContain('service.yml');
});

test('a definition of another name is an error of that service, and so is an unknown default user', async () => {
  const instance = await startInstance('  default_service_user: no-such-user\n');
  const wrong = prepare(instance, 'wrong');
  writeFileSync(join(wrong, 'service.yml'), 'application: right\n');
  renameSync(wrong, join(instance.autoServiceDirectory, 'wrong'));
  const nobody = place(instance, 'nobody');
  const fine = prepare(instance, 'fine');
  writeFileSync(join(fine, 'service.yml'), 'process: {user: root}\n');
  renameSync(fine, join(instance.autoServiceDirectory, 'fine'));

  await instance.running('fine', 1);
  const status = await instance.phase('wrong', 'INVALID', DEADLINE_MS);
  const said = status.conditions.map(({ message }) => message).join();
  expect(said).toContain('wrong/service.yml:1:');
  expect(said).toContain('expected "wrong" (the name of its folder), got "right"');
  const unknown = await waitFor(
    async () =>
      (await instance.events('nobody')).find(({ message }) => message.includes('no-such-user')),
    { what: 'the unknown user to be named', deadlineMs: DEADLINE_MS },
  );
  expect(unknown.service).toBe('nobody');
  expect(instance.pidsOf('nobody')).toEqual([]);
  expect(existsSync(definitionOf(nobody))).toBe(true);
});

test('auto services run as the default user and group', async () => {
  const instance = await startInstance(
    '  default_service_user: nobody\n  default_service_group: www-data\n',
  );
  const folder = prepare(instance, 'low');
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\nid -un; id -gn; exec sleep 1000\n');
  renameSync(folder, join(instance.autoServiceDirectory, 'low'));
  await instance.running('low', 1);
  const log = join(instance.autoServiceDirectory, 'low/logs/stdout.log');
  const isLogged = () => existsSync(log) && readFileSync(log, 'utf8') === 'nobody\nwww-data\n';
  await waitFor(isLogged, { what: 'both names', deadlineMs: DEADLINE_MS });
});

test('a slow copy is not started before its top level has come to rest', async () => {
  const instance = await startInstance();
  const folder = join(instance.autoServiceDirectory, 'copied');
  const copy = `
    import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
    import { constants, setPriority } from 'node:os';
    import { setTimeout } from 'node:timers/promises';
    setPriority(constants.priority.PRIORITY_HIGH);
    const folder = process.argv[1];
    let longestMs = 0, lastMs = performance.now();
    const step = async (act, ms) => {
      act();
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
      await setTimeout(ms);
    };
    await step(() => mkdirSync(folder), 0);
    const script = '#!/bin/sh\\nls | grep -c "^file-"; tail -n 1 file-0; exec sleep 1000\\n';
    await step(() => writeFileSync(folder + '/run.sh', script, { mode: 0o755 }), 0);
    for (let n = 0; n < 60; n += 1) await step(() => writeFileSync(folder + '/file-' + n, ''), 50);
    for (let n = 0; n < 60; n += 1) await step(() => appendFileSync(folder + '/file-0', n + '\\n'), 50);
    console.log(Math.round(longestMs));
    mkdirSync(folder + '/sub');
    for (let n = 0; ; n += 1) await step(() => writeFileSync(folder + '/sub/' + n, ''), 50);`;
  const copying = start(process.execPath, '--input-type=module', '-e', copy, folder);
  let pauseMs: number | null = null;
  copying.stdout?.on('data', (text) => {
    pauseMs = Number(text);
  });
  await instance.running('copied', 1, 60_000);
  // On a machine that held the copy up for so long, it had come to rest.
  if (pauseMs === null || pauseMs < 250) {
    const log = join(folder, 'logs/stdout.log');
    const isSeen = () => existsSync(log) && readFileSync(log, 'utf8') === '60\n59\n';
    await waitFor(isSeen, { what: 'the whole top level to be seen', deadlineMs: DEADLINE_MS });
  }
  // What is copied below the top level is not waited for.
  expect(copying.exitCode).toBeNull();
}, 120_000);

test('a copy of ten thousand files starts once, when all of them are there', async () => {
  const instance = await startInstance();
  const prepared = prepare(instance, 'many');
  execFileSync('/bin/sh', ['-c', 'seq 1 10000 | (cd "$1" && xargs touch)', 'sh', prepared]);
  writeFileSync(join(prepared, 'run.sh'), '#!/bin/sh\nls | grep -c "^[0-9]*$"; exec sleep 1000\n');
  const folder = join(instance.autoServiceDirectory, 'many');
  execFileSync('cp', ['-r', prepared, folder]);
  await instance.running('many', 1, DEADLINE_MS);
  const log = join(folder, 'logs/stdout.log');
  await waitFor(() => existsSync(log) && readFileSync(log, 'utf8') === '10000\n', {
    what: 'all of the files',
    deadlineMs: DEADLINE_MS,
  });
  expect((await instance.status('many'))?.restarts_10m).toBe(0);
}, 120_000);

test('a folder that is renamed is another service: the old one ends, the new one starts', async () => {
  const instance = await startInstance();
  const folder = place(instance, 'old');
  const [oldPid] = await instance.running('old', 1);
  await generated(folder);

  renameSync(folder, join(instance.autoServiceDirectory, 'new'));
  await instance.gone('old', DEADLINE_MS);
  const [newPid] = await instance.running('new', 1, DEADLINE_MS);
  expect(newPid).not.toBe(oldPid);
  expect((await instance.phase('new', 'RUNNING')).working_directory).toBe(
    join(instance.autoServiceDirectory, 'new'),
  );
  const forgotten = async () => (await instance.status('old')) === undefined;
  await waitFor(forgotten, { what: 'old to be forgotten', deadlineMs: DEADLINE_MS });

  renameSync(
    join(instance.autoServiceDirectory, 'new'),
    join(instance.autoServiceDirectory, 'new.disabled'),
  );
  await instance.gone('new', DEADLINE_MS);
});

test('a definition that cannot be written is said once, and the service runs all the same', async () => {
  const instance = await startInstance();
  const folder = join(instance.autoServiceDirectory, 'full');
  const prepared = prepare(instance, 'full');
  // Room for what is there and no other file: the folder itself, the script, the logs.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=5,mode=755', 'tmpfs', prepared]);
  onTestFinished(() => void execFileSync('umount', ['-l', prepared]));
  mkdirSync(join(prepared, 'logs'));
  for (const log of ['stdout.log', 'stderr.log']) writeFileSync(join(prepared, 'logs', log), '');
  writeFileSync(join(prepared, 'run.sh'), SCRIPT, { mode: 0o755 });
  symlinkSync(prepared, folder);

  const [pid] = await instance.running('full', 1);
  const failure = await event(instance, 'full', 'definition.generate-failed', 'ENOSPC');
  expect(failure.message).toContain(`cannot create '${definitionOf(folder)}'`);
  for (let reading = 0; reading < 3; reading += 1) await instance.pmctl('update');
  expect(await countOf(instance, 'full', 'definition.generate-failed')).toBe(1);
  expect(instance.pidsOf('full')).toEqual([pid]);
  expect((await instance.pmctl('status')).stdout).toContain(`'full': cannot create`);

  execFileSync('mount', ['-o', 'remount,nr_inodes=100', prepared]);
  await instance.pmctl('update');
  await event(instance, 'full', 'definition.generated');
  expect(instance.pidsOf('full')).toEqual([pid]);
});

test('the marker has the definition written anew, and the old one kept', async () => {
  const instance = await startInstance();
  const folder = place(instance, 'box');
  const text = await generated(folder);
  const [pid] = await instance.running('box', 1);
  writeFileSync(definitionOf(folder), '# mine\ndescription: mine\n');
  const isMine = async () => (await instance.pmctl('describe', 'box')).stdout.includes('mine');
  await waitFor(isMine, { what: 'the edit', deadlineMs: DEADLINE_MS });

  writeFileSync(join(folder, MARKER), '');
  const done = await event(instance, 'box', 'definition.regenerated');
  expect(done.message).toContain('service.yml is now service.yml.bak');
  expect(existsSync(join(folder, MARKER))).toBe(false);
  expect(readFileSync(definitionOf(folder), 'utf8')).toBe(text);
  expect(readFileSync(`${definitionOf(folder)}.bak`, 'utf8')).toBe('# mine\ndescription: mine\n');
  await waitFor(async () => !(await isMine()), { what: 'the defaults', deadlineMs: DEADLINE_MS });
  // A description is no reason to restart.
  expect(instance.pidsOf('box')).toEqual([pid]);

  writeFileSync(definitionOf(folder), 'process: {nice: 7}\n');
  const restarted = (from: number | undefined) => async () => {
    const [now] = await instance.running('box', 1);
    return now === from ? null : now;
  };
  const nicePid = await waitFor(restarted(pid), { what: 'nice', deadlineMs: DEADLINE_MS });
  writeFileSync(join(folder, MARKER), '');
  await event(instance, 'box', 'definition.regenerated', 'service.yml.bak.1');
  await waitFor(restarted(nicePid), { what: 'the defaults', deadlineMs: DEADLINE_MS });
  expect(readFileSync(`${definitionOf(folder)}.bak.1`, 'utf8')).toBe('process: {nice: 7}\n');
});

test('a new folder with a marker starts with the new definition alone', async () => {
  const instance = await startInstance();
  const prepared = prepare(instance, 'copied');
  writeFileSync(join(prepared, 'service.yaml'), 'process: {start_command: [sleep, "77"]}\n');
  writeFileSync(join(prepared, MARKER), '');
  const folder = join(instance.autoServiceDirectory, 'copied');
  renameSync(prepared, folder);
  await instance.running('copied', 1);
  const names = readdirSync(folder).filter((name) => name !== 'logs');
  expect(names.toSorted()).toEqual(['run.sh', 'service.yml', 'service.yml.bak']);
  await instance.phase('copied', 'RUNNING', DEADLINE_MS);
  expect(await countOf(instance, 'copied', 'service.starting')).toBe(1);
});

test('with apply: manual the file is written, and what it changes waits', async () => {
  const instance = new Instance('  apply: manual\n');
  const folder = place(instance, 'box');
  writeFileSync(definitionOf(folder), 'process: {nice: 7}\n');
  await startDaemon(instance);
  const [pid] = await instance.running('box', 1);
  writeFileSync(join(folder, MARKER), '');
  await event(instance, 'box', 'definition.regenerated');
  await event(instance, 'box', 'definition.pending');
  expect(instance.pidsOf('box')).toEqual([pid]);
  await instance.pmctl('update');
  const restarted = async () => (await instance.running('box', 1))[0] !== pid;
  await waitFor(restarted, { what: 'the defaults', deadlineMs: DEADLINE_MS });
});

test.each([
  ['a link', (path: string, victim: string) => symlinkSync(victim, path)],
  ['a folder', (path: string) => mkdirSync(path)],
])('a marker that is %s is refused, said once, and changes nothing', async (_what, make) => {
  const instance = await startInstance();
  const folder = place(instance, 'box');
  const victim = join(instance.root, 'victim');
  writeFileSync(victim, 'precious');
  await generated(folder);
  writeFileSync(definitionOf(folder), 'description: mine\n');
  const [pid] = await instance.running('box', 1);

  make(join(folder, MARKER), victim);
  const refusal = await event(instance, 'box', 'definition.regenerate-failed');
  expect(refusal.message).toContain(`'${MARKER}' is no regular file`);
  for (let reading = 0; reading < 3; reading += 1) await instance.pmctl('update');
  expect(await countOf(instance, 'box', 'definition.regenerate-failed')).toBe(1);
  expect(readFileSync(definitionOf(folder), 'utf8')).toBe('description: mine\n');
  expect(readdirSync(folder)).toContain(MARKER);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect(instance.pidsOf('box')).toEqual([pid]);

  rmSync(join(folder, MARKER), { recursive: true });
  writeFileSync(join(folder, MARKER), '');
  await event(instance, 'box', 'definition.regenerated');
});

test('a definition that is a link is neither followed, replaced nor written through', async () => {
  const instance = await startInstance();
  const secret = join(instance.root, 'secret');
  writeFileSync(secret, 'description: secret\n', { mode: 0o600 });
  const missing = join(instance.root, 'missing');
  for (const [name, target] of [['linked', secret] as const, ['dangling', missing] as const]) {
    const folder = prepare(instance, name);
    symlinkSync(target, definitionOf(folder));
    writeFileSync(join(folder, MARKER), '');
    execFileSync('chown', ['-hR', `${NOBODY}:${NOBODY}`, folder]);
    renameSync(folder, join(instance.autoServiceDirectory, name));
  }
  for (const name of ['linked', 'dangling']) {
    const refusal = await event(instance, name, 'definition.regenerate-failed');
    expect(refusal.message).toContain("'service.yml' is no regular file");
    await instance.phase(name, 'INVALID');
    const folder = join(instance.autoServiceDirectory, name);
    expect(lstatSync(definitionOf(folder)).isSymbolicLink()).toBe(true);
  }
  expect(existsSync(missing)).toBe(false);
  expect(readFileSync(secret, 'utf8')).toBe('description: secret\n');
  expect(statSync(secret)).toMatchObject({ uid: 0, gid: 0 });
});

test('whoever swaps folders, definitions and markers for links gets nothing written elsewhere', async () => {
  const instance = await startInstance();
  // Where a definition would be generated, and where one would be written anew.
  const [bare, marked] = [join(instance.root, 'bare'), join(instance.root, 'marked')];
  for (const outside of [bare, marked]) {
    mkdirSync(outside);
    writeFileSync(join(outside, 'run.sh'), SCRIPT, { mode: 0o755 });
  }
  writeFileSync(join(marked, 'service.yml'), 'precious\n');
  writeFileSync(join(marked, MARKER), '');
  // The attacker may even put folders there.
  chownSync(instance.autoServiceDirectory, NOBODY, NOBODY);
  chmodSync(instance.root, 0o755);
  const before = () =>
    [bare, marked].flatMap((outside) =>
      ['.', ...readdirSync(outside)].map((name) => {
        const path = join(outside, name);
        const { uid, gid, mode, size, mtimeMs, nlink } = lstatSync(path);
        return { path, uid, gid, mode, size, mtimeMs, nlink };
      }),
    );
  const untouched = before();
  const attack = `
    import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
    const [auto, bare, marked] = process.argv.slice(1);
    process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    const attempt = (act) => { try { act(); } catch {} };
    for (let round = 0; ; round += 1) {
      const folder = auto + '/prey-' + (round % 20), file = folder + '/service.yml';
      const aside = auto + '/.aside-' + (round % 20), link = auto + '/.link';
      // A folder now and a link the next time, and something else in it each time.
      const isFolder = Math.floor(round / 20) % 2 === 0;
      attempt(() => rmSync(link));
      if (isFolder) {
        attempt(() => unlinkSync(folder));
        attempt(() => renameSync(aside, folder));
        attempt(() => mkdirSync(folder));
        attempt(() => writeFileSync(folder + '/run.sh', '#!/bin/sh\\nexec sleep 1000\\n', { mode: 0o755 }));
        attempt(() => rmSync(file, { force: true }));
        if (round % 3 === 0) attempt(() => writeFileSync(folder + '/${MARKER}', ''));
        if (round % 7 === 0) attempt(() => symlinkSync(marked + '/service.yml', file));
        attempt(() => rmSync(file + '.bak', { force: true }));
        attempt(() => symlinkSync(marked + '/service.yml', file + '.bak'));
      } else {
        attempt(() => symlinkSync(round % 2 ? bare : marked, link));
        attempt(() => renameSync(folder, aside));
        attempt(() => renameSync(link, folder));
      }
    }`;
  const attacker = start(
    process.execPath,
    '--input-type=module',
    '-e',
    attack,
    instance.autoServiceDirectory,
    bare,
    marked,
  );
  const untilMs = performance.now() + 5_000;
  while (performance.now() < untilMs) {
    const { code } = await instance.pmctl('update');
    expect([0, 1, 9]).toContain(code);
  }
  expect(attacker.exitCode).toBeNull();
  attacker.kill('SIGKILL');
  expect(before()).toEqual(untouched);
  expect(readFileSync(join(marked, 'service.yml'), 'utf8')).toBe('precious\n');
});

test('a daemon that is killed while it regenerates leaves what the next one finishes', async () => {
  const instance = await startInstance();
  const folder = place(instance, 'box');
  const text = await generated(folder);
  const written: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    const mine = `description: round ${round}\n`;
    writeFileSync(definitionOf(folder), mine);
    written.push(mine);
    writeFileSync(join(folder, MARKER), '');
    const update = instance.pmctl('update');
    // At another moment each time, from before the reading until after the writing.
    await new Promise((resolve) => setTimeout(resolve, 60 + round * 15));
    await instance.endDaemon('SIGKILL');
    await update;
    await instance.start();
    const isDone = () => !existsSync(join(folder, MARKER));
    await waitFor(isDone, { what: 'the marker to go', deadlineMs: DEADLINE_MS });
    expect(readFileSync(definitionOf(folder), 'utf8')).toBe(text);
  }
  const names = readdirSync(folder);
  const contents = names
    .filter((name) => name.startsWith('service.yml.bak'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  expect(contents).toEqual(expect.arrayContaining(written));
  expect(names.filter((name) => name.endsWith('.tmp') || name === 'service.yaml')).toEqual([]);
  expect((await instance.phase('box', 'RUNNING')).phase).toBe('RUNNING');
}, 120_000);

test('a daemon finishes what one before it was killed in the middle of', async () => {
  const instance = await startInstance();
  const folder = place(instance, 'box');
  const text = await generated(folder);
  const [pid] = await instance.running('box', 1);
  await instance.endDaemon('SIGKILL');
  const file = definitionOf(folder);
  writeFileSync(file, 'description: mine\n');
  writeFileSync(join(folder, 'service.yaml'), 'description: other\n');
  writeFileSync(join(folder, MARKER), '');
  // Killed after the new file was written and the old ones had their second names.
  writeFileSync(join(folder, '.processmaster-0123456789abcdef.tmp'), text.slice(0, 100));
  linkSync(file, `${file}.bak`);
  linkSync(join(folder, 'service.yaml'), `${file}.bak.1`);

  await startDaemon(instance);
  const contents = readdirSync(folder)
    .filter((name) => name.startsWith('service') || name.startsWith('.'))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  expect(Object.fromEntries(contents)).toEqual({
    'service.yml': text,
    'service.yml.bak': 'description: mine\n',
    'service.yml.bak.1': 'description: other\n',
  });
  expect(instance.pidsOf('box')).toEqual([pid]);
});
