import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listenOnUnixSocket } from '../../src/rpc/unix-socket.ts';
import { temporaryFolder } from './rpc-rig.ts';

const STICKY_FOR_ALL = 0o1777;

function newServer(): Server {
  const server = createServer((socket) => socket.on('error', () => {}).end('here'));
  onTestFinished(() => {
    server.close();
  });
  return server;
}

async function listen(path: string, mode = 0o660, uid = 0, gid = 0): Promise<Server> {
  const server = newServer();
  await listenOnUnixSocket(server, { path, mode, uid, gid });
  return server;
}

const bits = (path: string) => lstatSync(path).mode & 0o7777;

/** A socket file that nobody listens on, as a killed daemon leaves it. */
async function staleSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.new`, resolve));
  // Closing removes the file by the name it was made with.
  renameSync(`${path}.new`, path);
  await new Promise((resolve) => server.close(resolve));
}

test('the socket has the owner and rights asked for, its missing folder is made', async () => {
  const path = join(temporaryFolder(), 'run', 'pm', 'pm.sock');
  const umask = process.umask();
  await listen(path, 0o640, 1234, 2345);
  const { uid, gid } = statSync(path);
  expect([uid, gid, bits(path)]).toEqual([1234, 2345, 0o640]);
  expect(bits(join(path, '..'))).toBe(0o755);
  expect(process.umask()).toBe(umask);
});

test('at no moment has the socket wider rights than its owner’s', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'pm.sock');
  const server = newServer();
  let fromBind = 0;
  server.on('listening', () => {
    fromBind = bits(path);
  });
  await listenOnUnixSocket(server, { path, mode: 0o666, uid: 0, gid: 0 });
  expect([fromBind, bits(path)]).toEqual([0o600, 0o666]);
});

test('a socket that nobody listens on is replaced', async () => {
  const path = join(temporaryFolder(), 'pm.sock');
  await staleSocket(path);
  expect(lstatSync(path).isSocket()).toBe(true);
  await listen(path);
  const [said] = await once(connect(path), 'data');
  expect(String(said)).toBe('here');
});

test('a socket that somebody listens on is left alone', async () => {
  const path = join(temporaryFolder(), 'pm.sock');
  await listen(path);
  await expect(listen(path)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(`cannot listen on '${path}': another daemon listens on it`),
  });
  const [said] = await once(connect(path), 'data');
  expect(String(said)).toBe('here');
});

test('what is not a socket is never removed', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  writeFileSync(file, 'precious');
  const link = join(folder, 'link');
  symlinkSync(file, link);
  for (const path of [file, link, folder]) {
    await expect(listen(path)).rejects.toMatchObject({ code: 'conflict' });
  }
  expect([readFileSync(link, 'utf8'), lstatSync(link).isSymbolicLink()]).toEqual([
    'precious',
    true,
  ]);
});

test.for([
  ['writable by its group', 0o775, 0, false],
  ['writable by all', 0o777, 0, false],
  ['that belongs to somebody else', 0o755, 65_534, false],
  ['writable by all and sticky, of somebody else', STICKY_FOR_ALL, 65_534, false],
  ['writable by all and sticky, of root', STICKY_FOR_ALL, 0, true],
  ['of root alone', 0o700, 0, true],
] as const)('a folder %s is safe or refused', async ([, mode, uid, isSafe]) => {
  const folder = join(temporaryFolder(), 'run');
  mkdirSync(folder);
  chmodSync(folder, mode);
  chownSync(folder, uid, 0);
  const path = join(folder, 'pm.sock');
  const listening = listen(path);
  if (isSafe) await listening;
  else await expect(listening).rejects.toMatchObject({ code: 'unsafe_path' });
  expect(existsSync(path)).toBe(isSafe);
});

test('a path that the kernel would cut is refused', async () => {
  const path = join(temporaryFolder(), 'x'.repeat(120));
  await expect(listen(path)).rejects.toMatchObject({ code: 'invalid_argument' });
});

test('where no folder can be made the error says why', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  await expect(listen(join(file, 'run', 'pm.sock'))).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('Not a directory'),
  });
});
