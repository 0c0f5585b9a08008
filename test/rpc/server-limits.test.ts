import { expect, test, vi } from 'vitest';
import { RawClient, startServer } from './rpc-rig.ts';

const DEADLINE = { timeout: 10_000, interval: 5 };

test('a request of just under 1 MiB is read, one beyond is refused and nobody else notices', async () => {
  const { path, server } = await startServer();
  const other = new RawClient(path).hello();
  await other.next();
  const padded = (bytes: number) => {
    const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'status' });
    return `${request}${' '.repeat(bytes - request.length)}\n`;
  };
  const client = new RawClient(path).hello().write(padded(1_048_576));
  expect((await client.nextById(2)).get(1)).toMatchObject({ result: { services: [] } });

  client.write(padded(1_048_577));
  expect(await client.next()).toMatchObject({ id: null, error: { code: -32600 } });
  await client.closed;
  expect(await other.ask(2, 'status').next()).toMatchObject({ id: 2 });
  expect(server.connectionCount).toBe(1);
});

test('a line without end is cut off while others are served', async () => {
  const { path, server } = await startServer({}, { requestBytes: 65_536 });
  const client = new RawClient(path);
  const block = Buffer.alloc(1_048_576, 'a');
  const flood = () => {
    while (!client.socket.destroyed && client.socket.write(block));
  };
  client.socket.on('drain', flood);
  flood();

  expect(await client.next()).toMatchObject({
    error: { message: expect.stringMatching('longer') },
  });
  const other = new RawClient(path).hello().ask(1, 'status');
  expect((await other.nextById(2)).get(1)).toMatchObject({ result: { services: [] } });
  await client.closed;
  await vi.waitFor(() => expect(server.connectionCount).toBe(1), DEADLINE);
});

test('of 300 clients 256 are served, the others are told and closed', async () => {
  const { path, server } = await startServer();
  const clients = Array.from({ length: 300 }, () => new RawClient(path).hello());
  const answers = await Promise.all(clients.map((client) => client.next()));

  const refused = answers.filter((answer) => 'error' in Object(answer));
  expect(refused).toHaveLength(44);
  expect(refused[0]).toMatchObject({ id: null, error: { code: -32000 } });
  expect(server.connectionCount).toBe(256);

  for (const client of clients) client.socket.destroy();
  await vi.waitFor(() => expect(server.connectionCount).toBe(0), DEADLINE);
  expect(await new RawClient(path).hello().next()).toMatchObject({ id: 'hello' });
});

test('a client that never completes a request is sent away, one that did may stay', async () => {
  const { path } = await startServer({}, { idleMs: 100 });
  const polite = new RawClient(path).hello();
  await polite.next();
  const silent = new RawClient(path);
  const halfway = new RawClient(path).write('{"jsonrpc":"2.0","id":1,');

  for (const client of [silent, halfway]) {
    expect(await client.next()).toMatchObject({ id: null, error: { code: -32000 } });
    await client.closed;
  }
  expect(await polite.ask(1, 'status').next()).toMatchObject({ id: 1 });
});

test('a client that asks and does not read is dropped before its answers pile up', async () => {
  const lines = ['x'.repeat(200_000)];
  const { path, server } = await startServer(
    { 'logs.tail': () => ({ files: [{ path: '/log', lines, truncated: false }] }) },
    { bufferedBytes: 1_000_000 },
  );
  const client = new RawClient(path).hello();
  await client.next();
  client.socket.pause();
  for (let id = 0; id < 50; id += 1) client.ask(id, 'logs.tail', { name: 'web' });

  await vi.waitFor(() => expect(server.connectionCount).toBe(0), DEADLINE);
});

test('one answer may be larger than what may wait', async () => {
  const lines = ['x'.repeat(3_000_000)];
  const { path } = await startServer(
    { 'logs.tail': () => ({ files: [{ path: '/log', lines, truncated: false }] }) },
    { bufferedBytes: 1_000_000 },
  );
  const client = new RawClient(path).hello();
  await client.next();
  expect(await client.ask(1, 'logs.tail', { name: 'web' }).next()).toMatchObject({
    result: { files: [{ lines }] },
  });
});

test('requests beyond those that may wait at once are refused', async () => {
  const { path } = await startServer(
    { 'services.stop': () => new Promise(() => {}) },
    { requestsAtOnce: 2 },
  );
  const client = new RawClient(path).hello();
  await client.next();
  for (const id of [1, 2, 3]) client.ask(id, 'services.stop', { names: ['web'] });
  expect(await client.next()).toMatchObject({ id: 3, error: { code: -32000 } });
});
