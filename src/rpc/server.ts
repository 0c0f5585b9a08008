import { createServer, type Server, type Socket } from 'node:net';
import { Connection, type ConnectionLimits } from './connection.ts';
import type { DispatchOptions } from './dispatch.ts';
import { SERVER_BUSY } from './error-codes.ts';
import { faultResponse } from './message.ts';

export interface RpcServerLimits extends ConnectionLimits {
  readonly connections: number;
}

const LIMITS: RpcServerLimits = {
  connections: 256,
  requestBytes: 1_048_576,
  idleMs: 5_000,
  bufferedBytes: 8 * 1_048_576,
  requestsAtOnce: 128,
};

const OF_CONSOLE = { requestsAtOnce: 1_024, idleMs: 30_000, believesActors: true };

/** How long clients have to read their last answers when the server closes. */
const CLOSE_GRACE_MS = 1_000;

/**
 * JSON-RPC 2.0, one message a line, over the contract.
 *
 * INVARIANTS: at most `limits.connections` clients at once, further ones are told and closed; no
 * client's misbehaviour is noticed by another.
 */
export class RpcServer {
  /** Not listening yet: see listenOnUnixSocket. */
  readonly listener: Server;
  readonly #options: DispatchOptions;
  readonly #limits: RpcServerLimits;
  readonly #connections = new Set<Connection>();

  constructor(options: DispatchOptions, limits: Partial<RpcServerLimits> = {}) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...limits };
    this.listener = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    // Out of descriptors (accept(2)): this client is lost, the next may be served.
    this.listener.on('error', (error) => {
      if (this.listener.listening) options.report(error, 'accept');
    });
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Stops listening, ends what waits, and resolves when the last client is gone. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()));
    for (const connection of this.#connections) connection.close();
    const impatience = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_GRACE_MS);
    await closed;
    clearTimeout(impatience);
  }

  /** Serves the web console on its own socket: it asks for many, and says for whom. */
  serve(socket: Socket): void {
    this.#take(socket, { ...this.#limits, ...OF_CONSOLE });
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#limits.connections) {
      turnAway(socket, `more than ${this.#limits.connections} clients at once`);
      return;
    }
    this.#take(socket, this.#limits);
  }

  #take(socket: Socket, limits: ConnectionLimits): void {
    const connection = new Connection(socket, this.#options, limits);
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
  }
}

function turnAway(socket: Socket, message: string): void {
  socket.on('error', () => {});
  const fault = JSON.stringify(faultResponse(null, SERVER_BUSY, message));
  socket.end(`${fault}\n`, () => socket.destroy());
}
