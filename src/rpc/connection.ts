import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { LineDecoder } from '../lib/line-decoder.ts';
import { type DispatchOptions, dispatch, type Session } from './dispatch.ts';
import { PARSE_ERROR, rpcCodeOf, SERVER_BUSY } from './error-codes.ts';
import { faultResponse, type RpcResponse, readId, readRequest } from './message.ts';

/** What one client may ask of us. */
export interface ConnectionLimits {
  readonly requestBytes: number;
  /** Time until the first complete request. */
  readonly idleMs: number;
  /** Answers that may wait for a client that does not read. */
  readonly bufferedBytes: number;
  readonly requestsAtOnce: number;
  /** Whether a request may say who asks: what is at the other end has asked for their passwords. */
  readonly believesActors?: boolean;
}

/** How long what a refused client still sends is read and dropped, so that it gets to our answer. */
const DRAIN_MS = 1_000;

/**
 * One client: lines in, answers out, in the order in which they are ready.
 *
 * INVARIANTS: malformed input is answered and harms nobody else; memory held for a client is bounded
 * by the limits (plus one answer); a client that closed its sending side still gets its answers, but
 * handlers do not wait for anything on its behalf.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #options: DispatchOptions;
  readonly #limits: ConnectionLimits;
  readonly #decoder: LineDecoder;
  readonly #gone = new AbortController();
  readonly #session: Session = { coBuilt: false };
  #timer: NodeJS.Timeout;
  #inFlight = 0;
  #ending = false;

  constructor(socket: Socket, options: DispatchOptions, limits: ConnectionLimits) {
    this.#socket = socket;
    this.#options = options;
    this.#limits = limits;
    this.#decoder = new LineDecoder(limits.requestBytes);
    const seconds = limits.idleMs / 1_000;
    this.#timer = setTimeout(
      () => this.#refuse(faultResponse(null, SERVER_BUSY, `no request within ${seconds} s`)),
      limits.idleMs,
    );
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A vanished client and one that only stopped sending look the same: nothing waits for either.
    socket.on('end', () => this.close());
    // 'close' follows; a client that went away is no error of ours.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(this.#timer);
      this.#gone.abort();
    });
  }

  /** Tells handlers to give up, sends what they still answer, and closes. */
  close(): void {
    this.#gone.abort();
    this.#finish();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    // What comes after the end is read only to be dropped.
    if (this.#ending) return;
    const { lines, tooLong } = this.#decoder.push(chunk);
    for (const line of lines) if (line.length > 0) this.#answerLine(line);
    if (!tooLong) return;
    const message = `a request is longer than ${this.#limits.requestBytes} bytes`;
    this.#refuse(faultResponse(null, rpcCodeOf('protocol'), message));
  }

  #answerLine(line: Buffer): void {
    clearTimeout(this.#timer);
    const message = parse(line);
    if (message === undefined) {
      this.#send(faultResponse(null, PARSE_ERROR, 'that is not JSON in UTF-8'));
    } else if (!Array.isArray(message)) {
      void this.#answer(message).then((response) => this.#sendIfAny(response));
    } else if (message.length === 0) {
      this.#send(faultResponse(null, rpcCodeOf('protocol'), 'a batch must not be empty'));
    } else {
      void this.#answerBatch(message);
    }
  }

  async #answerBatch(messages: readonly unknown[]): Promise<void> {
    const answers = await Promise.all(messages.map((message) => this.#answer(message)));
    const responses = answers.filter((answer) => answer !== null);
    this.#sendIfAny(responses.length > 0 ? responses : null);
  }

  /** `null` for a notification. Never rejects. */
  async #answer(message: unknown): Promise<RpcResponse | null> {
    const request = readRequest(message);
    if (request === null) {
      const fault = 'that is not a request of JSON-RPC 2.0';
      return faultResponse(readId(message), rpcCodeOf('protocol'), fault);
    }
    if (this.#inFlight >= this.#limits.requestsAtOnce) {
      const fault = `more than ${this.#limits.requestsAtOnce} requests at once`;
      return faultResponse(request.id ?? null, SERVER_BUSY, fault);
    }
    this.#inFlight += 1;
    const isConsole = this.#limits.believesActors === true;
    const actor = (isConsole ? request.actor : null) ?? 'local';
    const context = { actor, isConsole, signal: this.#gone.signal };
    const response = await dispatch(request, this.#session, context, this.#options);
    this.#inFlight -= 1;
    return request.id === undefined ? null : response;
  }

  #sendIfAny(response: RpcResponse | readonly RpcResponse[] | null): void {
    if (response !== null) this.#send(response);
    if (this.#ending) this.#finish();
  }

  #send(response: RpcResponse | readonly RpcResponse[]): void {
    if (!this.#socket.writable) return;
    // One large answer is no slow reader; one that comes on top of a backlog is.
    if (this.#socket.writableLength > this.#limits.bufferedBytes) this.#socket.destroy();
    else this.#socket.write(`${JSON.stringify(response)}\n`);
  }

  #refuse(response: RpcResponse): void {
    this.#send(response);
    this.#ending = true;
    this.#socket.end();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), DRAIN_MS);
  }

  /** Closes as soon as every request is answered. */
  #finish(): void {
    this.#ending = true;
    if (this.#inFlight === 0) this.#socket.end();
  }
}

/** `undefined` when it is not JSON; no JSON text means `undefined`. */
function parse(line: Buffer): unknown {
  if (!isUtf8(line)) return undefined;
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}
