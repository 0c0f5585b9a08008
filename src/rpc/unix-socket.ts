import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { type ErrorCode, errnoOf, isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';

export interface UnixSocketOptions {
  readonly path: string;
  /** Permission bits, e.g. 0o660. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** sun_path holds 108 bytes with the closing NUL (unix(7)). */
const MAX_PATH_BYTES = 107;
const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Listens on a unix socket that at no moment has wider rights than asked for. A socket that nobody
 * listens on any more is replaced; the parent folder is created (0755) when it is missing.
 *
 * @throws ProcessmasterError `conflict` when somebody answers on the path or it is not a socket,
 * `unsafe_path` when others could replace the socket, `invalid_argument`, `io`.
 */
export async function listenOnUnixSocket(
  server: Server,
  options: UnixSocketOptions,
): Promise<void> {
  const { path } = options;
  refuseLong(path);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    refuseUnsafeParent(path);
    await clearPath(path);
    await listen(server, path);
    lchownSync(path, options.uid, options.gid);
    chmodSync(path, options.mode);
  } catch (error) {
    if (error instanceof ProcessmasterError) throw error;
    if (server.listening) server.close();
    if (isErrno(error, 'EADDRINUSE')) throw refusal('conflict', path, ANOTHER_LISTENS);
    throw refusal('io', path, messageOf(error), error);
  }
}

const ANOTHER_LISTENS = 'another daemon listens on it (stop that one, or set unix_socket.path)';

/**
 * The same judgement of a path beforehand, without touching anything; who listens on it now may be
 * gone by then. @throws ProcessmasterError as {@link listenOnUnixSocket}
 */
export function judgeSocketPath(path: string): void {
  refuseLong(path);
  try {
    accessSync(nearestThere(dirname(path)), constants.W_OK | constants.X_OK);
    if (existsSync(dirname(path))) refuseUnsafeParent(path);
    refuseOther(statsOrNull(path), path);
  } catch (error) {
    if (error instanceof ProcessmasterError) throw error;
    throw refusal('io', path, messageOf(error), error);
  }
}

function nearestThere(path: string): string {
  return existsSync(path) ? path : nearestThere(dirname(path));
}

function refuseLong(path: string): void {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return;
  throw refusal('invalid_argument', path, `the path is longer than ${MAX_PATH_BYTES} bytes`);
}

/** Where others may create or rename files, they could put a socket of their own in its place. */
function refuseUnsafeParent(path: string): void {
  const parent = dirname(path);
  const stats = statSync(parent);
  if (!stats.isDirectory()) throw refusal('io', path, `'${parent}' is no folder`);
  const isOurs = stats.uid === 0 || stats.uid === process.geteuid?.();
  const onlyOwnersRename = stats.uid === 0 && (stats.mode & STICKY) !== 0;
  if (isOurs && ((stats.mode & WRITABLE_BY_OTHERS) === 0 || onlyOwnersRename)) return;
  const why = `others may write to the folder ${parent}`;
  throw refusal('unsafe_path', path, `${why} (make it root's own, mode 0755, or choose another)`);
}

/** Makes way for the socket, taking away nothing but a stale one. */
async function clearPath(path: string): Promise<void> {
  const stats = statsOrNull(path);
  if (stats === null) return;
  refuseOther(stats, path);
  const answer = await knock(path);
  if (answer === 'ECONNREFUSED') unlinkSync(path);
  else if (answer !== 'ENOENT') throw refusal('conflict', path, ANOTHER_LISTENS);
}

function refuseOther(stats: Stats | null, path: string): void {
  if (stats === null || stats.isSocket()) return;
  throw refusal('conflict', path, 'something else than a socket is there (move it away)');
}

/** The errno of a try to connect; `null` when somebody answered. */
function knock(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(null);
    });
    socket.once('error', (error) => resolve(errnoOf(error) ?? 'unknown'));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    // The socket file appears within this call (net binds pipes at once), so the mask is ours alone.
    const umask = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(umask);
    }
  });
}

function statsOrNull(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

function refusal(code: ErrorCode, path: string, why: string, cause?: unknown): ProcessmasterError {
  const message = `cannot listen on '${path}': ${why}`;
  return new ProcessmasterError(code, message, { stage: 'listen', cause });
}
