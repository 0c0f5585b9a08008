import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { KeeperClient, type KeeperClientPorts } from '../../src/keeper/keeper-client.ts';
import { KeeperServer } from '../../src/keeper/keeper-server.ts';
import { PROTOCOL, type Snapshot } from '../../src/keeper/protocol.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { waitFor } from '../e2e/wait-for.ts';
import { scratchFolder } from '../host/rig.ts';

/** A client of a keeper that `changes` describe; what it told, in order. */
function clientOf(changes: Partial<KeeperClientPorts>) {
  const lost: string[] = [];
  const found: Snapshot[] = [];
  const client = new KeeperClient({
    clock: systemClock,
    socketPath: join(scratchFolder(), 'keeper.sock'),
    startKeeper: async () => {},
    killKeeper: async () => {},
    onFound: (snapshot) => found.push(snapshot),
    onEvent: () => {},
    onLost: (reason) => lost.push(reason),
    ...changes,
  });
  onTestFinished(() => client.close());
  return { client, lost, found };
}

/** Something that listens like a keeper and does as `answer` says with each line it gets. */
async function listener(answer: (socket: Socket, request: { id: number; method: string }) => void) {
  const path = join(scratchFolder(), 'keeper.sock');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) answer(socket, JSON.parse(line));
    });
  }).listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

const snapshot = (protocol = PROTOCOL): Snapshot => ({
  protocol,
  pid: 1,
  launches: [],
  captured: [],
});

const say = (socket: Socket, message: object) => socket.write(`${JSON.stringify(message)}\n`);

/** Time that passes as fast as it is waited for, and what was waited for. */
function fastClock() {
  const delays: number[] = [];
  let aheadMs = 0;
  const clock = {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
    schedule: (delayMs: number, callback: () => void) => {
      delays.push(delayMs);
      return systemClock.schedule(0, callback);
    },
  };
  return {
    clock,
    delays,
    pass: (ms: number) => {
      aheadMs += ms;
    },
  };
}

test('a keeper that never lasts is tried again ever later', async () => {
  const { clock, delays } = fastClock();
  const socketPath = await listener((socket, { id }) => {
    say(socket, { id, result: snapshot() });
    socket.end();
  });
  const { client } = clientOf({ clock, socketPath });
  await client.open();
  await waitFor(() => delays.length >= 10, { what: 'ten tries' });
  expect(delays.slice(0, 10)).toEqual([
    0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ]);
});

test('a keeper that had lasted a minute is replaced at once', async () => {
  const { clock, delays, pass } = fastClock();
  const socketPath = await listener((socket, { id }) => {
    say(socket, { id, result: snapshot() });
    socket.end();
  });
  const { client } = clientOf({ clock, socketPath, onFound: () => pass(60_000) });
  await client.open();
  await waitFor(() => delays.length >= 5, { what: 'five losses' });
  expect(delays.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
});

test('whoever asks for the keeper at once, one is started', async () => {
  const socketPath = join(scratchFolder(), 'keeper.sock');
  let started = 0;
  const startKeeper = async () => {
    started += 1;
    await new KeeperServer(socketPath, systemClock, () => {}).listen();
  };
  const { client, found } = clientOf({ socketPath, startKeeper });
  await Promise.all([client.open(), client.open()]);
  await client.open();
  expect([started, found.length]).toEqual([1, 1]);
});

test.each(['close', 'end'] as const)(
  'a keeper that comes when the daemon has gone (%s) is neither taken nor killed',
  async (way) => {
    const socketPath = join(scratchFolder(), 'keeper.sock');
    let killed = 0;
    let letStart = () => {};
    const { client, found, lost } = clientOf({
      socketPath,
      startKeeper: async () => {
        await new Promise<void>((resolve) => {
          letStart = resolve;
        });
        await new KeeperServer(socketPath, systemClock, () => {}).listen();
      },
      killKeeper: async () => {
        killed += 1;
      },
    });
    const opened = client.open();
    await waitFor(() => letStart.length === 1, { what: 'the start' });
    const gone = client[way]();
    letStart();
    await gone;
    await opened;
    expect({ found, lost, killed }).toEqual({ found: [], lost: [], killed: 0 });
    await expect(client.ready()).rejects.toMatchObject({ code: 'withdrawn' });
  },
);

test('a keeper of another build is ended, and replaced although it does not know the word', async () => {
  const asked: string[] = [];
  let isKilled = false;
  const socketPath = await listener((socket, { id, method }) => {
    asked.push(method);
    const protocol = isKilled ? PROTOCOL : PROTOCOL + 1;
    if (method === 'hello') say(socket, { id, result: snapshot(protocol) });
    else say(socket, { id, fault: { code: 'protocol', message: 'no such method', stage: null } });
  });
  const { client, found, lost } = clientOf({
    socketPath,
    killKeeper: async () => {
      isKilled = true;
    },
  });
  await client.open();
  expect(asked).toEqual(['hello', 'end', 'hello']);
  expect(lost).toEqual([
    `the keeper (pid 1) speaks protocol ${PROTOCOL + 1}, this build ${PROTOCOL}`,
  ]);
  expect(found).toEqual([snapshot()]);
});

test.each(['garbage', 'null', '3', '[]'])('a keeper that says %s is let go of', async (words) => {
  const socketPath = await listener((socket, { id, method }) => {
    if (method === 'hello') say(socket, { id, result: snapshot() });
    else socket.write(`${words}\n`);
  });
  const { client, lost } = clientOf({ clock: fastClock().clock, socketPath });
  await client.open();
  await client.detach('web');
  await waitFor(() => lost.includes('the keeper is gone'), { what: 'the loss' });
});

test('nobody waits long for a stuck keeper to drain or detach', async () => {
  const socketPath = await listener((socket, { id, method }) => {
    if (method === 'hello') say(socket, { id, result: snapshot() });
  });
  let killed = 0;
  const killKeeper = async () => {
    killed += 1;
  };
  const { client } = clientOf({ socketPath, killKeeper });
  await client.open();
  const before = performance.now();
  await Promise.all([client.drain('web', 100), client.detach('web')]);
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(killed).toBe(0);
});
