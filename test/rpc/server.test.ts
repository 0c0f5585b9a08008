import { expect, test } from 'vitest';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import type { CallContext } from '../../src/rpc/dispatch.ts';
import { BUILD, deferred, RawClient, startServer } from './rpc-rig.ts';

const EMPTY_STATUS = { services: [], warnings: [] };

function failure(id: unknown, code: number, message: unknown = expect.any(String), data?: unknown) {
  const error = { code, message, data: data ?? expect.anything() };
  return { jsonrpc: '2.0', id, error };
}

test('hello and a request in one write are both answered', async () => {
  const { path } = await startServer();
  const client = new RawClient(path);
  client.socket.cork();
  client.hello().ask(1, 'status', { names: ['web'] });
  client.socket.uncork();

  expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 'hello', result: { build: BUILD } });
  expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 1, result: EMPTY_STATUS });
});

test.for([
  ['no JSON', 'status please', null, -32700],
  ['half of a JSON text', '{"jsonrpc":"2.0",', null, -32700],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), null, -32700],
  ['a number', '42', null, -32600],
  ['null', 'null', null, -32600],
  ['an empty batch', '[]', null, -32600],
  ['another version', '{"jsonrpc":"1.0","id":3,"method":"status"}', 3, -32600],
  ['a method that is no text', '{"jsonrpc":"2.0","id":3,"method":7}', 3, -32600],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"status"}', null, -32600],
  ['an unknown method', '{"jsonrpc":"2.0","id":3,"method":"reboot"}', 3, -32601],
  ['a method of objects', '{"jsonrpc":"2.0","id":3,"method":"toString"}', 3, -32601],
] as const)(
  '%s gets an error of JSON-RPC, and the next request an answer',
  async ([, text, id, code]) => {
    const { path } = await startServer();
    const client = new RawClient(path).hello();
    await client.next();
    client.write(text).write('\n').ask('after', 'status');

    const answers = await client.nextById(2);
    expect(answers.get(id)).toEqual(failure(id, code));
    expect(answers.get('after')).toMatchObject({ result: EMPTY_STATUS });
  },
);

test.for([
  ['status', { names: 'web' }, 'names: expected a list of names'],
  ['status', { names: ['web', 5] }, 'names.1: expected text'],
  ['status', { name: 'web' }, 'unknown key name; known: names, detail'],
  ['status', ['web'], 'expected an object of named parameters'],
  ['services.start', {}, 'names: expected a list of names'],
  ['services.start', { names: [] }, 'names: expected at least one name, or all'],
  ['services.stop', { names: ['a'], timeout_ms: 0 }, 'timeout_ms: expected a whole number from 1'],
  ['events.list', { limit: 1.5 }, 'limit: expected a whole number from 1 to 10000'],
  ['logs.tail', { name: 'web', lines: 1e9 }, 'lines: expected a whole number from 1 to 10000'],
] as const)('%s %j is refused, naming key and expectation', async ([method, params, why]) => {
  const { path } = await startServer();
  const client = new RawClient(path).hello();
  await client.next();
  const message = expect.stringContaining(`cannot call '${method}': ${why}`);
  const answer = await client.ask(1, method, params).next();
  expect(answer).toEqual(failure(1, -32602, message, { code: 'invalid_argument' }));
});

test('a client of another build is refused everything but the versions', async () => {
  const { path } = await startServer();
  const client = new RawClient(path);
  const build = { host: 'elsewhere', time: BUILD.time, version: '1.2.2' };
  client.ask(1, 'hello', { build }).ask(2, 'status').ask(3, 'daemon.version');

  const answers = await client.nextById(3);
  const message = expect.stringMatching(
    /^pmctl is not co-built with this daemon: pmctl is 1\.2\.2 \(built on elsewhere, .*\), processmaster is 1\.2\.3 \(built on builder, .*\); rebuild and deploy processmaster \+ pmctl from the same build$/,
  );
  expect(answers.get(1)).toEqual(failure(1, -32004, message, { code: 'not_co_built' }));
  expect(answers.get(2)).toMatchObject({ error: { data: { code: 'not_co_built' } } });
  expect(answers.get(3)).toMatchObject({ result: { build: BUILD } });
});

test('answers come as they are ready, each with the id of its request', async () => {
  const slow = deferred<{ services: [] }>();
  const { path } = await startServer({ 'services.stop': () => slow.promise });
  const client = new RawClient(path).hello();
  await client.next();

  client.ask('slow', 'services.stop', { names: ['web'] }).ask('fast', 'status');
  expect(await client.next()).toMatchObject({ id: 'fast' });
  slow.resolve({ services: [] });
  expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 'slow', result: { services: [] } });
});

test('a batch gets one answer without its notifications, a batch of notifications none', async () => {
  const { path } = await startServer();
  const client = new RawClient(path).hello();
  await client.next();
  const notification = { jsonrpc: '2.0', method: 'status' };
  client.say([notification, notification]);
  client.say([{ jsonrpc: '2.0', id: 1, method: 'status' }, notification, 'nonsense']);

  expect(await client.next()).toEqual([
    { jsonrpc: '2.0', id: 1, result: EMPTY_STATUS },
    failure(null, -32600),
  ]);
});

test('what a handler throws of ours is answered with its code and stage, anything else is reported', async () => {
  const defect = new TypeError('secret detail');
  const { path, reported } = await startServer({
    status: () => {
      throw new ProcessmasterError('not_found', 'no such thing', { stage: 'look' });
    },
    'events.list': () => Promise.reject(defect),
  });
  const client = new RawClient(path).hello().ask(1, 'status').ask(2, 'events.list');

  const answers = await client.nextById(3);
  const data = { code: 'not_found', stage: 'look' };
  expect(answers.get(1)).toEqual(failure(1, -32002, 'no such thing', data));
  expect(answers.get(2)).toEqual(
    failure(2, -32603, expect.not.stringContaining('secret'), { code: 'internal' }),
  );
  expect(reported).toEqual([defect]);
});

test('a handler is told who calls, and when nobody waits any more', async () => {
  const called = deferred<CallContext>();
  const { path } = await startServer({
    'services.start': (_, context) => {
      called.resolve(context);
      return new Promise(() => {});
    },
  });
  const client = new RawClient(path).hello().ask(1, 'services.start', { names: ['web'] });
  const { actor, signal } = await called.promise;
  expect([actor, signal.aborted]).toEqual(['local', false]);

  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  client.socket.destroy();
  await aborted;
});

test('a client that closed its sending side still gets its answer', async () => {
  const slow = deferred<{ services: []; warnings: [] }>();
  const { path } = await startServer({ status: () => slow.promise });
  const client = new RawClient(path).hello().ask(1, 'status');
  client.socket.end();
  await client.next();
  slow.resolve({ services: [], warnings: [] });

  expect(await client.next()).toMatchObject({ id: 1, result: EMPTY_STATUS });
  await client.closed;
});

test('closing tells what waits to give up, answers it, and lets every client go', async () => {
  const { path, server } = await startServer({
    'services.stop': (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new ProcessmasterError('io', 'over')));
      }),
  });
  const client = new RawClient(path).hello();
  const idle = new RawClient(path).hello();
  await Promise.all([client.next(), idle.next()]);
  client.ask(1, 'services.stop', { names: ['web'] }).ask(2, 'status');
  await client.next();

  const closed = server.close();
  expect(await client.next()).toMatchObject({ id: 1, error: { message: 'over' } });
  await Promise.all([closed, client.closed, idle.closed]);
  await expect(new RawClient(path).hello().next()).rejects.toThrow('closed');
});
