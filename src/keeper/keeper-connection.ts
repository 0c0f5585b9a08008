import { connect, type Socket } from 'node:net';
import { ProcessmasterError } from '../lib/errors.ts';
import { LineDecoder } from '../lib/line-decoder.ts';
import { wakefully } from './patience.ts';
import type { KeeperEvent, KeeperMessage, KeeperMethod, KeeperMethods } from './protocol.ts';

export interface KeeperConnectionPorts {
  readonly onEvent: (event: KeeperEvent) => void;
  /** A call is not answered: what was asked may yet happen, unless the keeper is ended first. */
  readonly onStuck: () => void;
  /** Once, when the connection ends, whoever ended it. */
  readonly onClosed: () => void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ProcessmasterError) => void;
}

/** What is asked of a keeper takes milliseconds (a drain a few seconds at the most): one that is later is stuck. */
const ANSWERS_WITHIN_MS = 15_000;

/** A snapshot of thousands of services is a few hundred KiB. */
const MAX_MESSAGE_BYTES = 64 * 1_048_576;

/**
 * The daemon's end of a connection to a keeper.
 *
 * INVARIANTS: every call is settled, also when the keeper goes away or is stuck: then whoever
 * owns the connection is told, and ends both.
 */
export class KeeperConnection {
  readonly #socket: Socket;
  readonly #ports: KeeperConnectionPorts;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  private constructor(socket: Socket, ports: KeeperConnectionPorts) {
    this.#socket = socket;
    this.#ports = ports;
    const decoder = new LineDecoder(MAX_MESSAGE_BYTES);
    socket.on('data', (chunk: Buffer) => {
      const { lines, tooLong } = decoder.push(chunk);
      for (const line of lines) this.#receive(line);
      if (tooLong) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  /** @throws the system's error when nobody listens on `path` */
  static open(path: string, ports: KeeperConnectionPorts): Promise<KeeperConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new KeeperConnection(socket, ports));
      });
    });
  }

  /**
   * Asks. A keeper that does not answer is stuck; with `withinMs` the caller itself waits no longer
   * than that.
   * @throws ProcessmasterError what the keeper says, `timeout` after `withinMs`, `withdrawn` when it
   *   is gone already, `unreachable` when it goes away meanwhile: what was asked for may have been done
   */
  call<M extends KeeperMethod>(
    method: M,
    params: KeeperMethods[M]['params'],
    withinMs: number | null = null,
  ): Promise<KeeperMethods[M]['result']> {
    if (this.#socket.destroyed) return Promise.reject(gone('withdrawn'));
    const id = ++this.#lastId;
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    const cancel = wakefully(ANSWERS_WITHIN_MS, () => this.#ports.onStuck());
    const settled = answered.finally(cancel);
    this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    // A door: the protocol's version was compared when the connection was made.
    const result = settled as Promise<KeeperMethods[M]['result']>;
    return withinMs === null ? result : inTime(result, withinMs, method);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(line: Buffer): void {
    const message = messageIn(line);
    if (message === null) {
      // Whatever says so is no keeper of ours, or not in its right mind.
      this.#socket.destroy();
      return;
    }
    if ('happened' in message) {
      this.#ports.onEvent(message.happened);
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('result' in message) {
      pending?.resolve(message.result);
    } else {
      const { code, message: text, stage } = message.fault;
      pending?.reject(new ProcessmasterError(code, text, stage === null ? {} : { stage }));
    }
  }

  #closed(): void {
    for (const { reject } of this.#pending.values()) reject(gone('unreachable'));
    this.#pending.clear();
    this.#ports.onClosed();
  }
}

/** A door between two programs of ours: only what is no message at all is refused. */
function messageIn(line: Buffer): KeeperMessage | null {
  try {
    const message: unknown = JSON.parse(line.toString('utf8'));
    if (typeof message !== 'object' || message === null) return null;
    const isMessage = ['happened', 'result', 'fault'].some((key) => Object.hasOwn(message, key));
    return isMessage ? (message as KeeperMessage) : null;
  } catch {
    return null;
  }
}

function inTime<T>(answer: Promise<T>, withinMs: number, method: KeeperMethod): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = wakefully(withinMs, () => {
      const message = `the keeper has not answered '${method}' within ${withinMs} ms`;
      reject(new ProcessmasterError('timeout', message, { stage: 'ask the keeper' }));
    });
    void answer.then(resolve, reject).finally(cancel);
  });
}

function gone(code: 'unreachable' | 'withdrawn'): ProcessmasterError {
  return new ProcessmasterError(code, 'the keeper of the services is gone', {
    stage: 'ask the keeper',
  });
}
