import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import { type ClientOptions, connect, type RpcClient } from '../../src/rpc/client.ts';
import { BUILD, deferred, startServer, temporaryFolder } from './rpc-rig.ts';

function clientOn(path: string, options: Partial<ClientOptions> = {}): RpcClient {
  const client = connect(path, { build: BUILD, timeoutMs: 10_000, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Something that listens and is not our server. */
async function listenWith(onData: string | null): Promise<string> {
  const path = join(temporaryFolder(), 'other.sock');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (onData === null) socket.destroy();
    else socket.on('data', () => socket.write(onData));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    server.close();
  });
  return path;
}

test('calls give the results of their handlers, several at once too', async () => {
  const { path } = await startServer({
    'logs.tail': ({ name, lines }) => ({
      files: [{ path: name, lines: [String(lines)], truncated: false }],
    }),
  });
  const client = clientOn(path);
  const [one, two] = await Promise.all([
    client.call('logs.tail', { name: 'one' }),
    client.call('logs.tail', { name: 'two', lines: 3 }),
  ]);
  expect(one.files[0]).toEqual({ path: 'one', lines: ['50'], truncated: false });
  expect(two.files[0]).toEqual({ path: 'two', lines: ['3'], truncated: false });
});

test('an error of the daemon arrives with its code and words', async () => {
  const { path } = await startServer({
    status: () => {
      throw new ProcessmasterError('not_found', "cannot find service 'x': no definition");
    },
  });
  await expect(clientOn(path).call('status', {})).rejects.toMatchObject({
    code: 'not_found',
    message: "cannot find service 'x': no definition",
  });
});

test('a daemon of another build refuses, but tells its version', async () => {
  const { path } = await startServer();
  const client = clientOn(path, { build: { ...BUILD, time: 'yesterday' } });
  await expect(client.call('status', {})).rejects.toMatchObject({ code: 'not_co_built' });
  expect((await client.call('daemon.version', {})).build).toEqual(BUILD);
});

test('where nobody listens the error names the socket', async () => {
  const folder = temporaryFolder();
  const missing = join(folder, 'missing.sock');
  await expect(clientOn(missing).call('status', {})).rejects.toMatchObject({
    code: 'unreachable',
    message: `cannot reach the daemon on '${missing}': No such file or directory (ENOENT)`,
  });
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(clientOn(file).call('status', {})).rejects.toMatchObject({
    code: 'unreachable',
    message: `cannot reach the daemon on '${file}': nobody listens on it`,
  });
});

test('a socket that is not for this user says whose it is', async () => {
  const { path } = await startServer();
  chmodSync(path, 0o600);
  chmodSync(join(path, '..'), 0o755);
  const geteuid = process.geteuid?.();
  process.seteuid?.(65_534);
  onTestFinished(() => process.seteuid?.(geteuid ?? 0));
  await expect(clientOn(path).call('status', {})).rejects.toMatchObject({
    code: 'not_permitted',
    message: expect.stringContaining('it belongs to user 0, group 0, mode 0600'),
  });
  process.seteuid?.(geteuid ?? 0);
});

test('an answer that does not come in time is a timeout, one without a limit is waited for', async () => {
  const answer = deferred<{ services: []; warnings: [] }>();
  const { path } = await startServer({ status: () => answer.promise });
  const patient = clientOn(path, { timeoutMs: null }).call('status', {});
  await expect(clientOn(path, { timeoutMs: 50 }).call('status', {})).rejects.toMatchObject({
    code: 'timeout',
    message: `cannot ask the daemon on '${path}': no answer to status within 0.05 s`,
  });
  answer.resolve({ services: [], warnings: [] });
  expect(await patient).toEqual({ services: [], warnings: [] });
});

test('when the daemon goes away every call that waits fails, and later ones at once', async () => {
  const path = await listenWith(null);
  const client = clientOn(path);
  const calls = await Promise.allSettled([client.call('status', {}), client.call('status', {})]);
  for (const call of calls) {
    expect(call).toMatchObject({ status: 'rejected', reason: { code: 'unreachable' } });
  }
  await expect(client.call('status', {})).rejects.toMatchObject({ code: 'unreachable' });
});

test.for([
  ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['JSON that is no answer', '[1,2,3]\n'],
  ['null', 'null\n'],
])('%s instead of an answer is a protocol error', async ([, text]) => {
  const path = await listenWith(text ?? '');
  await expect(clientOn(path).call('status', {})).rejects.toMatchObject({ code: 'protocol' });
});

test('being turned away by a full server is an error that says so', async () => {
  const { path } = await startServer({}, { connections: 0 });
  await expect(clientOn(path).call('status', {})).rejects.toMatchObject({
    message: 'more than 0 clients at once',
  });
});
