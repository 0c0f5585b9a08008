import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { EventRow } from '../../src/rpc/status-row.ts';
import { Instance, startInstance } from './harness.ts';
import { program } from './programs.ts';
import { waitFor } from './wait-for.ts';

/** A `pmctl events -f` that goes on until the test ends. */
class Follower {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;

  constructor(file: string, instance: Instance, args: readonly string[]) {
    const env = { PATH: process.env.PATH, PMCTL_SOCK: instance.socket };
    const child = spawn(file, ['events', '-f', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  get events(): readonly EventRow[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  /** Waits for a flag to be told of; gives all that was told of so far. */
  async sees(flag: string): Promise<readonly EventRow[]> {
    const isThere = () => this.events.some(({ data }) => data.flag === flag);
    await waitFor(isThere, { what: `the event of ${flag}: ${this.stderr}` });
    return this.events;
  }

  async says(text: string): Promise<void> {
    await waitFor(() => this.stderr.includes(text), { what: `pmctl to say '${text}'` });
  }
}

async function follow(instance: Instance, ...args: readonly string[]): Promise<Follower> {
  return new Follower(await program('pmctl'), instance, args);
}

async function running(): Promise<Instance> {
  const instance = await startInstance();
  instance.defineScript('web', 'exec sleep 1000');
  instance.defineScript('db', 'exec sleep 1000');
  await instance.phase('web', 'RUNNING');
  await instance.phase('db', 'RUNNING');
  return instance;
}

async function flag(instance: Instance, service: string, name: string): Promise<void> {
  expect((await instance.pmctl('flag', service, name)).code).toBe(0);
}

test('following tells what happens to a service as it happens, one JSON object a line', async () => {
  const instance = await running();
  await flag(instance, 'web', 'before');
  const follower = await follow(instance, '-o', 'json', '-n', '1', 'w*');
  await follower.sees('before');

  await flag(instance, 'db', 'elsewhere');
  await flag(instance, 'web', 'after');

  const told = (await follower.sees('after')).map(({ service, data }) => [service, data.flag]);
  expect(told).toEqual([
    ['web', 'before'],
    ['web', 'after'],
  ]);
});

test('following goes on across daemons, without a gap and without a repetition', async () => {
  const instance = await running();
  const follower = await follow(instance, '-o', 'json', '-n', '10000');
  await flag(instance, 'web', 'first');
  await follower.sees('first');

  await instance.endDaemon('SIGKILL');
  await follower.says('pmctl: the daemon is away');
  await instance.start();
  await follower.says('pmctl: the daemon is back');
  await flag(instance, 'web', 'second');
  await follower.sees('second');
  await instance.endDaemon('SIGTERM');
  await instance.start();
  await flag(instance, 'web', 'third');

  const told = (await follower.sees('third')).map(({ seq }) => seq);
  expect(told).toEqual(told.map((_, at) => (told[0] ?? 0) + at));
  expect(follower.events.map(({ kind }) => kind)).toContain('daemon.stopped');
  expect(follower.child.exitCode).toBeNull();
});

test('following begins anew with a journal that does', async () => {
  const instance = await running();
  for (const name of ['one', 'two', 'three', 'four', 'five']) await flag(instance, 'web', name);
  const follower = await follow(instance, '-o', 'json');
  await follower.sees('five');
  await instance.endDaemon('SIGKILL');
  for (const end of ['', '-wal', '-shm']) {
    rmSync(join(instance.root, `state/journal.sqlite${end}`), { force: true });
  }

  await instance.start();

  await flag(instance, 'web', 'anew');
  expect((await follower.sees('anew')).at(-1)?.seq).toBeLessThan(20);
});

test('following is ended by an interrupt and by a reader that has enough', async () => {
  const instance = await running();
  const interrupted = await follow(instance);
  await waitFor(() => interrupted.stdout.includes('service.starting'), { what: 'events' });
  interrupted.child.kill('SIGINT');
  expect(await once(interrupted.child, 'exit')).toEqual([130, null]);

  const piped = await follow(instance, '-n', '1');
  await waitFor(() => piped.stdout !== '', { what: 'an event' });
  piped.child.stdout?.destroy();
  const ended = once(piped.child, 'exit');
  await flag(instance, 'web', 'more');
  expect(await ended).toEqual([0, null]);
  expect([interrupted.stderr, piped.stderr]).toEqual(['', '']);
});

test('a daemon that is not there to begin with, and a service that is not, are errors', async () => {
  const instance = await running();
  expect((await instance.pmctl('events', '-f', 'nobody')).code).toBe(4);
  expect((await instance.pmctl('--sock', '/nonexistent/pm.sock', 'events', '-f')).code).toBe(5);
  expect((await instance.pmctl('events', '--since', 'yesterday')).code).toBe(2);
});

test('events are shown since a time, or within one', async () => {
  const instance = await running();
  await flag(instance, 'web', 'early');
  const early = (await instance.events('web')).find(({ data }) => data.flag === 'early');
  const justAfter = (early?.at_ms ?? 0) + 1;
  await waitFor(() => Date.now() > justAfter, { what: 'the next millisecond' });
  await flag(instance, 'web', 'late');
  const flags = async (since: string) => {
    const { stdout } = await instance.pmctl('events', '--since', since, 'web', '-o', 'json');
    const rows: readonly EventRow[] = JSON.parse(stdout);
    return rows.flatMap(({ kind, data }) => (kind === 'operator.flag' ? [data.flag] : []));
  };
  expect(await flags('10m')).toEqual(['early', 'late']);
  expect(await flags(new Date(justAfter).toISOString())).toEqual(['late']);
  expect(await flags('0s')).toEqual([]);
});

test('the journal of a running daemon keeps within its age and its size', async () => {
  const instance = new Instance();
  appendFileSync(instance.configFile, 'journal:\n  max_age: 1h\n  max_size: 300000\n');
  await instance.start();
  await instance.endDaemon('SIGTERM');
  const database = new DatabaseSync(join(instance.root, 'state/journal.sqlite'));
  const old = Date.now() - 3_700_000;
  const insert = database.prepare(
    `INSERT INTO events (at_ms, service, kind, message, actor, data) VALUES (?, NULL, 'x.y', ?, 'a', '{}')`,
  );
  database.exec('DELETE FROM events; BEGIN');
  for (let at = 0; at < 10; at += 1) insert.run(old, 'too old');
  for (let at = 0; at < 3_000; at += 1) insert.run(Date.now(), `${at} ${'x'.repeat(200)}`);
  database.exec('COMMIT');
  database.close();

  await instance.start();

  const { stdout } = await instance.pmctl('events', '-n', '10000', '-o', 'json');
  const rows: readonly EventRow[] = JSON.parse(stdout);
  const kept = rows.filter(({ kind }) => kind === 'x.y');
  expect(kept.some(({ message }) => message === 'too old')).toBe(false);
  expect(kept.at(-1)?.message).toMatch(/^2999 /);
  expect(kept.length).toBeGreaterThan(100);
  expect(kept.length).toBeLessThan(1_500);
});
