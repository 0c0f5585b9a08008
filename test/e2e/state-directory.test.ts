import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { EventRow } from '../../src/rpc/status-row.ts';
import { Instance, startInstance } from './harness.ts';
import { program, runProgram } from './programs.ts';
import { waitFor } from './wait-for.ts';

/** The service runs and obeys, and what is asked of it is remembered. */
async function isSupervised(instance: Instance): Promise<void> {
  instance.defineScript('web', 'exec sleep 1000');
  await instance.running('web', 1);
  expect((await instance.pmctl('restart', 'web')).code).toBe(0);
  expect((await instance.pmctl('flag', 'web', 'seen')).code).toBe(0);
  expect((await instance.pmctl('stop', 'web')).code).toBe(0);
  const row = await instance.phase('web', 'STOPPED');
  expect(row).toMatchObject({ stopped_by: 'local', user_flags: ['seen'] });
  const kinds = (await instance.events('web')).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['operator.restart', 'operator.flag']));
}

test('a state directory that others may change is not used, and services are supervised', async () => {
  const instance = new Instance();
  const state = join(instance.root, 'state');
  mkdirSync(state);
  chownSync(state, 65_534, 65_534);
  expect((await check(instance)).stderr).toContain(`others than root may write to '${state}'`);

  await instance.start();

  expect(await warnings(instance)).toContain(`others than root may write to '${state}'`);
  await isSupervised(instance);
  expect(readdirSync(state)).toEqual([]);
  expect((await daemonEvents(instance)).map(({ kind }) => kind)).toContain('journal.warning');
  expect(instance.daemonOutput).toContain('"msg":"journal.warning"');
});

test('a journal of a newer version is left as it is, and services are supervised', async () => {
  const instance = await startInstance();
  await instance.endDaemon('SIGTERM');
  const file = join(instance.root, 'state/journal.sqlite');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 999');
  database.close();
  const checked = await check(instance);
  expect([checked.code, checked.stderr]).toEqual([0, expect.stringContaining('version 999')]);

  await instance.start();

  expect(await warnings(instance)).toMatch(/version 999.*run the newer build/);
  await isSupervised(instance);
  await instance.endDaemon('SIGTERM');
  const after = new DatabaseSync(file, { readOnly: true });
  expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 });
  after.close();
});

test('a state directory that cannot be made is done without until it can be', async () => {
  const instance = new Instance();
  const state = join(instance.root, 'state');
  writeFileSync(state, 'in the way');
  await instance.start();
  expect(await warnings(instance)).toContain(`cannot make the folder '${state}'`);
  await isSupervised(instance);

  rmSync(state);

  await waitFor(async () => (await warnings(instance)) === '', { what: 'the warning to go' });
  expect((await daemonEvents(instance)).map(({ kind }) => kind)).toContain('journal.recovered');
  await instance.endDaemon('SIGKILL');
  await instance.start();
  const row = await instance.phase('web', 'STOPPED');
  expect(row).toMatchObject({ stopped_by: 'local', user_flags: ['seen'] });
});

test('what an operator asked for holds where the state directory is read-only', async () => {
  const instance = new Instance();
  const state = mountTmpfs(instance, 'state', '8m');
  await instance.start();
  await isSupervised(instance);
  await instance.endDaemon('SIGKILL');
  execFileSync('mount', ['-o', 'remount,ro', state]);

  await instance.start();

  expect(await warnings(instance)).toContain('Read-only file system (EROFS)');
  const row = await instance.phase('web', 'STOPPED');
  expect(row).toMatchObject({ stopped_by: 'local', user_flags: ['seen'] });
  expect((await instance.pmctl('start', 'web')).code).toBe(0);
  execFileSync('mount', ['-o', 'remount,rw', state]);
  await waitFor(async () => (await warnings(instance)) === '', { what: 'the warning to go' });
  const events = await instance.events('web');
  expect(events.map(({ kind }) => kind).filter((kind) => kind.startsWith('operator.'))).toEqual([
    'operator.restart',
    'operator.flag',
    'operator.stop',
    'operator.start',
  ]);
});

test('a full state directory costs nothing, and is written again when there is space', async () => {
  const instance = new Instance();
  const state = mountTmpfs(instance, 'state', '512k');
  await instance.start();
  fill(state);
  instance.defineScript('web', 'exec sleep 1000');
  await instance.running('web', 1);
  const isWarned = async () => {
    await instance.pmctl('flag', 'web', `f${Math.random()}`);
    await instance.pmctl('unflag', 'web', 'all');
    return (await warnings(instance)) !== '';
  };
  await waitFor(isWarned, { what: 'the disk to be too full', deadlineMs: 20_000 });
  await isSupervised(instance);

  rmSync(join(state, 'ballast'));

  await waitFor(async () => (await warnings(instance)) === '', { what: 'the warning to go' });
  await instance.endDaemon('SIGKILL');
  await instance.start();
  expect(await instance.phase('web', 'STOPPED')).toMatchObject({ user_flags: ['seen'] });
});

test('a full runtime directory wedges no service, and is written again when there is space', async () => {
  const instance = new Instance();
  const run = mountTmpfs(instance, 'run', '256k');
  instance.defineScript('web', 'exec sleep 1000');
  instance.defineScript('victim', 'exec sleep 1000', {
    restart_policy: { restart_backoff_ms: 50, tolerance: { max_restarts: 100, duration: '1m' } },
  });
  await instance.start();
  await instance.running('web', 1);
  const [victim = 0] = await instance.running('victim', 1);
  await instance.phase('victim', 'RUNNING');
  fill(run);

  process.kill(victim, 'SIGKILL');
  const isRestarted = () => instance.pidsOf('victim').some((pid) => pid !== victim);
  await waitFor(isRestarted, { what: 'the victim to be restarted' });
  expect((await instance.pmctl('stop', 'web')).code).toBe(0);
  expect((await instance.pmctl('start', 'web')).code).toBe(0);

  expect(await warnings(instance)).toMatch(/cannot record what runs.*No space left on device/);
  const said = (await daemonEvents(instance)).filter(({ kind }) => kind === 'state.warning');
  expect(said).toHaveLength(1);

  rmSync(join(run, 'ballast'));
  await waitFor(async () => (await warnings(instance)) === '', { what: 'the warning to go' });
  const pids = [instance.pidsOf('web'), instance.pidsOf('victim')];
  const { run: runNumber } = await instance.phase('victim', 'RUNNING');
  await instance.endDaemon('SIGKILL');
  await instance.start();
  expect(await instance.phase('victim', 'RUNNING')).toMatchObject({ run: runNumber });
  expect([instance.pidsOf('web'), instance.pidsOf('victim')]).toEqual(pids);
});

/** A small file system of its own at a folder of the instance, gone with it. */
function mountTmpfs(instance: Instance, folder: string, size: string): string {
  const path = join(instance.root, folder);
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0755,size=${size}`, 'tmpfs', path]);
  // Before the instance cleans up: what was registered last is done first.
  onTestFinished(async () => {
    await instance.endDaemon('SIGTERM');
    execFileSync('umount', [path]);
  });
  return path;
}

function fill(folder: string): void {
  const write = () => writeFileSync(join(folder, 'ballast'), Buffer.alloc(16 << 20));
  expect(write).toThrow(/ENOSPC/);
  expect(existsSync(join(folder, 'ballast'))).toBe(true);
}

/** What `pmctl status` warns of. */
async function warnings(instance: Instance): Promise<string> {
  return (await instance.pmctl('status', '--format', 'json')).stderr;
}

async function daemonEvents(instance: Instance): Promise<readonly EventRow[]> {
  const { stdout } = await instance.pmctl('events', '-n', '10000', '--format', 'json');
  return (JSON.parse(stdout) as readonly EventRow[]).filter(({ service }) => service === null);
}

async function check(instance: Instance) {
  return runProgram(await program('processmaster'), ['--check', '-c', instance.configFile]);
}
