import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveIdentity } from '../../src/host/identity.ts';
import { KeeperClient } from '../../src/keeper/keeper-client.ts';
import { KeeperConnection } from '../../src/keeper/keeper-connection.ts';
import { KeeperServer } from '../../src/keeper/keeper-server.ts';
import type { KeeperEvent, LaunchOrder, Snapshot } from '../../src/keeper/protocol.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { scratchCgroup, scratchFolder } from '../host/rig.ts';

const ROOT = await resolveIdentity(null, null);

/** A keeper in this process, and the folder it works in. */
async function startServer() {
  const folder = scratchFolder();
  const path = join(folder, 'keeper.sock');
  await new KeeperServer(path, systemClock, () => {}).listen();
  execFileSync('mkfifo', [join(folder, 'stdout'), join(folder, 'stderr')]);
  return { folder, path };
}

async function connected(path: string) {
  const events: KeeperEvent[] = [];
  let isClosed = false;
  const connection: KeeperConnection = await KeeperConnection.open(path, {
    onEvent: (event) => events.push(event),
    onStuck: () => connection.close(),
    onClosed: () => {
      isClosed = true;
    },
  });
  onTestFinished(() => connection.close());
  await connection.call('hello', {});
  return { connection, events, isClosed: () => isClosed };
}

function order(folder: string, script: string, runNumber = 1): LaunchOrder {
  return {
    name: 'web',
    runNumber,
    cgroup: scratchCgroup(),
    argv: ['/bin/sh', '-c', script],
    cwd: '/',
    environment: { PATH: '/usr/bin:/bin' },
    identity: ROOT,
    umask: 0o022,
    nice: 0,
    oomScoreAdjust: null,
    limits: [],
    noNewPrivileges: false,
    ambientCapabilities: [],
    stagePath: join(folder, 'stage'),
    capture: {
      stdoutFifo: join(folder, 'stdout'),
      stderrFifo: join(folder, 'stderr'),
      stdoutPath: join(folder, 'stdout.log'),
      stderrPath: join(folder, 'stderr.log'),
    },
  };
}

test('its socket is for root alone', async () => {
  const { path } = await startServer();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a run is launched once, however often it is asked for', async () => {
  const { folder, path } = await startServer();
  const { connection, events } = await connected(path);
  const asked = order(folder, 'echo once; exit 3');
  const first = await connection.call('launch', asked);
  const again = await connection.call('launch', asked);
  expect(again).toEqual(first);
  await waitFor(() => events.length === 1, { what: 'the end to be told' });
  expect(await connection.call('launch', asked)).toEqual(first);
  await connection.call('drain', { name: 'web', deadlineMs: 1_000 });
  expect(readFileSync(join(folder, 'stdout.log'), 'utf8')).toBe('once\n');
});

test('the end of a run is kept for the next daemon until that has recorded it', async () => {
  const { folder, path } = await startServer();
  const first = await connected(path);
  const { pid } = await first.connection.call('launch', order(folder, 'read x </dev/null; exit 3'));
  first.connection.close();
  const ended = async () => {
    const { connection } = await connected(path);
    const { launches } = await connection.call('hello', {});
    return launches[0]?.end ? launches : null;
  };
  const launches = await waitFor(ended, { what: 'the end' });
  expect(launches).toMatchObject([
    { name: 'web', runNumber: 1, pid, end: { exit: { kind: 'exited', code: 3 } } },
  ]);

  const { connection } = await connected(path);
  await connection.call('ack', { name: 'web', runNumber: 1 });
  expect((await connection.call('hello', {})).launches).toEqual([]);
});

test('a run that goes on is not forgotten by an early acknowledgement', async () => {
  const { folder, path } = await startServer();
  const { connection, events } = await connected(path);
  const { pid } = await connection.call('launch', order(folder, 'exec sleep 1000'));
  await connection.call('ack', { name: 'web', runNumber: 1 });
  expect((await connection.call('hello', {})).launches).toMatchObject([{ pid, end: null }]);
  process.kill(pid, 'SIGKILL');
  await waitFor(() => events.length === 1, { what: 'the end to be told' });
});

test('a launch that cannot be is told with its stage', async () => {
  const { folder, path } = await startServer();
  const { connection } = await connected(path);
  const asked = { ...order(folder, 'exit'), argv: ['not-absolute'] as const };
  await expect(connection.call('launch', asked)).rejects.toMatchObject({
    code: 'launch_failed',
    stage: 'exec',
  });
  const noFifo = { ...asked.capture, stdoutFifo: join(folder, 'nothing') };
  await expect(
    connection.call('launch', { ...order(folder, 'exit'), capture: noFifo }),
  ).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('nothing') });
});

test('what is no request ends that connection, and nothing else', async () => {
  const { path } = await startServer();
  const socket = connect(path);
  socket.end('garbage\n');
  await once(socket, 'close');
  const { connection } = await connected(path);
  expect((await connection.call('hello', {})).pid).toBe(process.pid);
});

test('whatever connects without a word of ours does not cost the daemon its connection', async () => {
  const { path } = await startServer();
  const { connection } = await connected(path);
  for (const words of ['', 'garbage\n', 'null\n', '{"id":1,"method":"ack","params":{}}\n']) {
    const socket = connect(path);
    await once(socket, 'connect');
    socket.end(words);
    await once(socket.resume(), 'close');
  }
  expect((await connection.call('hello', {})).pid).toBe(process.pid);
});

test('a service has one main process, whatever is asked for', async () => {
  const { folder, path } = await startServer();
  const { connection, events } = await connected(path);
  const { pid } = await connection.call('launch', order(folder, 'exec sleep 1000'));
  await expect(connection.call('launch', order(folder, 'exit', 2))).rejects.toMatchObject({
    code: 'launch_failed',
    message: expect.stringContaining(`pid ${pid}`),
  });
  process.kill(pid, 'SIGKILL');
  await waitFor(() => events.length === 1, { what: 'the end to be told' });
});

test('the newest daemon is the one that is served', async () => {
  const { path } = await startServer();
  const old = await connected(path);
  const { connection } = await connected(path);
  expect((await connection.call('hello', {})).pid).toBe(process.pid);
  await waitFor(old.isClosed, { what: 'the old daemon to be let go of' });
  await expect(old.connection.call('hello', {})).rejects.toMatchObject({ code: 'withdrawn' });
});

test('a keeper that cannot be had is said to be so, and whoever needs it is told', async () => {
  const lost: string[] = [];
  const found: Snapshot[] = [];
  const client = new KeeperClient({
    // Ten seconds of waiting are over at once.
    clock: { ...systemClock, schedule: (_, callback) => systemClock.schedule(0, callback) },
    socketPath: join(scratchFolder(), 'keeper.sock'),
    startKeeper: async () => {
      throw new Error('no process could be made');
    },
    killKeeper: async () => {},
    onFound: (snapshot) => found.push(snapshot),
    onEvent: () => {},
    onLost: (reason) => lost.push(reason),
  });
  await client.open();
  expect(lost[0]).toContain('no process could be made');
  await expect(client.launch(order(scratchFolder(), 'exit'))).rejects.toMatchObject({
    code: 'withdrawn',
  });
  await client.drain('web', 1_000);
  await client.detach('web');
  client.close();
  expect(found).toEqual([]);
});
