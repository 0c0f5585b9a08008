/** The client's side. On pmctl's way to its first byte: no schemas here, the builds are the same. */
import { lstatSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import type { BuildInfo } from '../lib/build-info.ts';
import { errnoOf, isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { LineDecoder } from '../lib/line-decoder.ts';
import type { MethodName, RequestOf, ResultOf } from './contract.ts';
import { isErrorCode } from './error-codes.ts';

export interface ClientOptions {
  readonly build: BuildInfo;
  /** How long an answer may take; `null` is without end (the daemon bounds what it waits for). */
  readonly timeoutMs: number | null;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ProcessmasterError) => void;
}

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message?: unknown; readonly data?: { readonly code?: unknown } };
}

const HELLO_ID = 0;
/** Answers are larger than requests; this bounds a server that is none of ours. */
const MAX_ANSWER_BYTES = 256 * 1_048_576;

/** A client of the daemon at the other end of this socket, which is connected. */
export function connectOver(socket: Socket, options: ClientOptions): RpcClient {
  return new RpcClient('its own socket', options, socket);
}

/** A client of the daemon on this socket; connects at once, errors come with the first call. */
export function connect(path: string, options: ClientOptions): RpcClient {
  return new RpcClient(path, options);
}

/**
 * INVARIANTS: `hello` travels in one write with the first request; every call is settled, also when
 * the daemon goes away.
 */
export class RpcClient {
  readonly #path: string;
  readonly #options: ClientOptions;
  readonly #socket: Socket;
  readonly #decoder = new LineDecoder(MAX_ANSWER_BYTES);
  readonly #pending = new Map<number, Pending>();
  #lastId = HELLO_ID;
  #ended: ProcessmasterError | null = null;

  constructor(path: string, options: ClientOptions, socket: Socket = connectSocket(path)) {
    this.#path = path;
    this.#options = options;
    this.#socket = socket;
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#fail(connectionError(path, error)));
    this.#socket.on('close', () => this.#fail(closedError(path)));
  }

  /**
   * @throws ProcessmasterError with the daemon's own code, or `unreachable`, `not_permitted` (the
   * socket), `timeout`, `protocol` (what answers is no daemon of ours).
   */
  call<M extends MethodName>(
    method: M,
    params: RequestOf<M>,
    actor?: string,
  ): Promise<ResultOf<M>> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const isFirst = this.#lastId === HELLO_ID;
    const id = ++this.#lastId;
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, this.#limited(method, { resolve, reject }));
    });
    const hello = isFirst ? line(HELLO_ID, 'hello', { build: this.#options.build }) : '';
    this.#socket.write(hello + line(id, method, params, actor));
    // A door: client and daemon are of one build, or the daemon would have refused.
    return answered as Promise<ResultOf<M>>;
  }

  close(): void {
    this.#socket.destroy();
  }

  #limited(method: string, { resolve, reject }: Pending): Pending {
    const { timeoutMs } = this.#options;
    if (timeoutMs === null) return { resolve, reject };
    const timer = setTimeout(() => {
      const why = `no answer to ${method} within ${timeoutMs / 1_000} s`;
      reject(new ProcessmasterError('timeout', `cannot ask the daemon on '${this.#path}': ${why}`));
    }, timeoutMs);
    return {
      resolve: (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      reject: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    };
  }

  #receive(chunk: Buffer): void {
    const { lines, tooLong } = this.#decoder.push(chunk);
    for (const text of lines) this.#settle(text);
    if (tooLong) this.#fail(protocolError(this.#path));
  }

  #settle(text: Buffer): void {
    const answer = readAnswer(text);
    const error = answer?.error ? errorOf(answer.error) : null;
    if (typeof answer?.id !== 'number') {
      // Without an id it is about the connection as a whole.
      this.#fail(error ?? protocolError(this.#path));
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (error === null) pending?.resolve(answer.result);
    else pending?.reject(error);
  }

  #fail(error: ProcessmasterError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#socket.destroy();
  }
}

function line(id: number, method: string, params: unknown, actor?: string): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, params, actor })}\n`;
}

function readAnswer(text: Buffer): Answer | null {
  try {
    const value: unknown = JSON.parse(text.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

function errorOf({ message, data }: NonNullable<Answer['error']>): ProcessmasterError {
  const code = isErrorCode(data?.code) ? data.code : 'protocol';
  return new ProcessmasterError(code, typeof message === 'string' ? message : 'no reason given');
}

function connectionError(path: string, cause: Error): ProcessmasterError {
  if (isErrno(cause, 'EACCES', 'EPERM')) {
    const message = `cannot use the daemon's socket '${path}': ${messageOf(cause)}${ownerOf(path)}`;
    return new ProcessmasterError('not_permitted', message, { cause });
  }
  const why = errnoOf(cause) === 'ECONNREFUSED' ? 'nobody listens on it' : messageOf(cause);
  const message = `cannot reach the daemon on '${path}': ${why}`;
  return new ProcessmasterError('unreachable', message, { cause });
}

function ownerOf(path: string): string {
  try {
    const { uid, gid, mode } = lstatSync(path);
    return `: it belongs to user ${uid}, group ${gid}, mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`;
  } catch {
    return '';
  }
}

function closedError(path: string): ProcessmasterError {
  const why = 'it closed the connection before it answered';
  return new ProcessmasterError('unreachable', `cannot ask the daemon on '${path}': ${why}`);
}

function protocolError(path: string): ProcessmasterError {
  const why = 'what answers there does not speak JSON-RPC';
  return new ProcessmasterError('protocol', `cannot ask the daemon on '${path}': ${why}`);
}
