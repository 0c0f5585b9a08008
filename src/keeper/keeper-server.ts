import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { LineDecoder } from '../lib/line-decoder.ts';
import { Keeper } from './keeper.ts';
import type { KeeperFault, KeeperMessage, KeeperMethod, KeeperRequest } from './protocol.ts';

/** A launch order carries an environment; execve(2) takes no more than this in all. */
const MAX_REQUEST_BYTES = 8 * 1_048_576;

/**
 * Serves a keeper on a unix socket in a folder that only root may enter.
 *
 * INVARIANTS: one daemon at a time, the newest; what happens while none is there is in the snapshot
 * of the next.
 */
export class KeeperServer {
  readonly #path: string;
  readonly #keeper: Keeper;
  readonly #onEnd: () => void;
  #daemon: Socket | null = null;

  constructor(path: string, clock: Clock, onEnd: () => void) {
    this.#path = path;
    this.#onEnd = onEnd;
    this.#keeper = new Keeper(clock, (happened) => {
      if (this.#daemon !== null) send(this.#daemon, { happened });
    });
  }

  /** Resolves when it listens. Whoever starts a keeper has made sure that no other one answers. */
  listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    rmSync(this.#path, { force: true });
    return new Promise((resolve, reject) => {
      server.on('error', reject);
      // It is bound within the call: at no moment may anybody else connect.
      const umask = process.umask(0o177);
      server.listen(this.#path, () => resolve());
      process.umask(umask);
    });
  }

  #accept(socket: Socket): void {
    const decoder = new LineDecoder(MAX_REQUEST_BYTES);
    socket.on('data', (chunk: Buffer) => {
      const { lines, tooLong } = decoder.push(chunk);
      for (const line of lines) void this.#answer(socket, line);
      if (tooLong) socket.destroy();
    });
    // A daemon that was killed is no error of ours.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#daemon === socket) this.#daemon = null;
    });
  }

  /** Only who says hello is a daemon: whatever else connects must not cost us the one we have. */
  #serve(socket: Socket): void {
    if (this.#daemon === socket) return;
    this.#daemon?.destroy();
    this.#daemon = socket;
  }

  async #answer(socket: Socket, line: Buffer): Promise<void> {
    const request = requestIn(line);
    if (request !== null && is(request, 'hello')) this.#serve(socket);
    // Not one of ours, or one that has been replaced: what it asked for is not to happen any more.
    if (request === null || socket !== this.#daemon) {
      socket.destroy();
      return;
    }
    const { id } = request;
    try {
      send(socket, { id, result: await this.#handle(request) });
      if (request.method === 'end') this.#end();
    } catch (error) {
      send(socket, { id, fault: faultOf(error) });
    }
  }

  async #handle(request: KeeperRequest): Promise<unknown> {
    const keeper = this.#keeper;
    if (is(request, 'hello')) return keeper.snapshot();
    if (is(request, 'launch')) return keeper.launch(request.params);
    if (is(request, 'capture')) {
      const { name, runNumber, paths } = request.params;
      await keeper.capture(name, runNumber, paths);
    } else if (is(request, 'drain')) {
      await keeper.drain(request.params.name, request.params.deadlineMs);
    } else if (is(request, 'detach')) {
      await keeper.detach(request.params.name);
    } else if (is(request, 'ack')) {
      keeper.acknowledge(request.params.name, request.params.runNumber);
    } else if (is(request, 'end')) {
      keeper.close();
    } else {
      throw new ProcessmasterError('protocol', `the keeper has no method '${request.method}'`);
    }
    return null;
  }

  #end(): void {
    rmSync(this.#path, { force: true });
    // What was just sent is in the socket's buffer of the kernel when 'finish' comes.
    if (this.#daemon === null) this.#onEnd();
    else this.#daemon.end(this.#onEnd);
  }
}

function is<M extends KeeperMethod>(
  request: KeeperRequest,
  method: M,
): request is KeeperRequest<M> {
  return request.method === method;
}

/** A door between two programs of ours: only what is no request at all is refused. */
function requestIn(line: Buffer): KeeperRequest | null {
  try {
    const request: unknown = JSON.parse(line.toString('utf8'));
    return typeof request === 'object' && request !== null ? (request as KeeperRequest) : null;
  } catch {
    return null;
  }
}

function send(socket: Socket, message: KeeperMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

function faultOf(error: unknown): KeeperFault {
  if (!(error instanceof ProcessmasterError)) {
    const code = isErrno(error, 'ENOENT', 'EACCES', 'EMFILE', 'ENOMEM', 'ENOSPC')
      ? 'io'
      : 'internal';
    return { code, message: messageOf(error), stage: null };
  }
  return { code: error.code, message: error.message, stage: error.stage ?? null };
}
