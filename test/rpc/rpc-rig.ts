import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { BuildInfo } from '../../src/lib/build-info.ts';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import { LineDecoder } from '../../src/lib/line-decoder.ts';
import { BEGINNING } from '../../src/log-reader/log-position.ts';
import type { Handlers } from '../../src/rpc/dispatch.ts';
import { RpcServer, type RpcServerLimits } from '../../src/rpc/server.ts';
import { listenOnUnixSocket } from '../../src/rpc/unix-socket.ts';

export const BUILD: BuildInfo = { host: 'builder', time: '2026-01-15T12:00:00Z', version: '1.2.3' };

/** A folder that is gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pm-rpc-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface RunningServer {
  readonly path: string;
  readonly server: RpcServer;
  /** What the handlers threw and no client saw. */
  readonly reported: unknown[];
}

/** A server on a socket of its own; handlers that are not given answer that nothing is there. */
export async function startServer(
  handlers: Partial<Handlers> = {},
  limits: Partial<RpcServerLimits> = {},
  build = BUILD,
): Promise<RunningServer> {
  const reported: unknown[] = [];
  const server = new RpcServer(
    {
      build,
      handlers: { ...EMPTY_HANDLERS, ...handlers },
      report: (error) => reported.push(error),
    },
    limits,
  );
  const path = join(temporaryFolder(), 'pm.sock');
  await listenOnUnixSocket(server.listener, { path, mode: 0o600, uid: 0, gid: 0 });
  onTestFinished(() => server.close());
  return { path, server, reported };
}

const EMPTY_HANDLERS: Handlers = {
  'daemon.version': () => ({
    build: BUILD,
    pid: 1,
    started_at_ms: 0,
    uptime_ms: 0,
    socket: '/run/pm.sock',
  }),
  'daemon.metrics': () => ({
    started_at_ms: 0,
    cpu_us: 0,
    resident_bytes: 0,
    open_descriptors: 0,
    loop_delay_ms: null,
    events: [],
    slots: [],
  }),
  'daemon.restart': () => ({ from: BUILD, to: BUILD, started_at_ms: 0 }),
  status: () => ({ services: [], warnings: [] }),
  'status.brief': () => ({ services: [], warnings: [] }),
  'services.why': nothingThere,
  'services.describe': nothingThere,
  'services.start': () => ({ services: [] }),
  'services.stop': () => ({ services: [] }),
  'services.restart': () => ({ services: [] }),
  'services.wait': () => ({ services: [] }),
  'services.enable': () => ({ services: [] }),
  'services.disable': () => ({ services: [] }),
  'sources.update': () => ({
    accepted: [],
    changed: [],
    removed: [],
    problems: [],
    conflicts: [],
    brakes: [],
    contents: [],
  }),
  'sources.diff': () => ({ changes: [], unchanged: 0, problems: [], conflicts: [], brakes: [] }),
  'events.list': () => ({ events: [], next_seq: 0, last_seq: 0 }),
  'flags.set': () => ({ services: [] }),
  'flags.clear': () => ({ services: [] }),
  'jobs.run': () => ({ run: 1, positions: [] }),
  'jobs.output': () => ({
    ...{ stdout: '', stderr: '', positions: [], gap: false, over: true, exit: null, outcome: null },
  }),
  'jobs.history': () => ({ slots: [] }),
  usage: () => ({ services: [] }),
  'console.note': () => ({}),
  'usage.history': () => ({ application: 'web', from_ms: 0, step_ms: 10_000, series: [] }),
  'jobs.next': () => ({ slots: [] }),
  'admin.list': () => ({ actions: [] }),
  'admin.run': ({ id }) => ({ id, pid: 1, stdout_path: '/o', stderr_path: '/e' }),
  'admin.ps': () => ({ processes: [] }),
  'admin.kill': () => ({ processes: [] }),
  'logs.sources': () => ({ sources: [], window: null }),
  'logs.start': () => ({ position: BEGINNING }),
  'logs.read': () => ({ pieces: [] }),
  'logs.before': () => ({ text: '', position: BEGINNING, at_start: true, gap: false }),
  'logs.tail': () => ({ files: [] }),
};

function nothingThere(): never {
  throw new ProcessmasterError('not_found', 'there are no services here');
}

/** A client that says whatever a test wants it to say. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #decoder = new LineDecoder(64 * 1_048_576);
  readonly #lines: string[] = [];
  #wake: () => void = () => {};

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#lines.push(...this.#decoder.push(chunk).lines.map(String));
      this.#wake();
    });
    // Being thrown out while writing is what some tests are about.
    this.socket.on('error', () => {});
    this.socket.on('end', () => this.socket.end());
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#wake();
        resolve();
      });
    });
    onTestFinished(() => {
      this.socket.destroy();
    });
  }

  /** Says hello with the server's own build. */
  hello(): this {
    return this.say({ jsonrpc: '2.0', id: 'hello', method: 'hello', params: { build: BUILD } });
  }

  say(...messages: unknown[]): this {
    for (const message of messages) this.write(`${JSON.stringify(message)}\n`);
    return this;
  }

  ask(id: number | string, method: string, params?: unknown): this {
    return this.say({ jsonrpc: '2.0', id, method, params });
  }

  write(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  /** The next answer, parsed; rejects when the server closes instead. */
  async next(): Promise<unknown> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return JSON.parse(line);
      if (this.socket.closed) throw new Error('the server closed the connection');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next answers, by their ids: they come in any order. */
  async nextById(count: number): Promise<ReadonlyMap<unknown, unknown>> {
    const answers = new Map<unknown, unknown>();
    while (answers.size < count) {
      const answer = (await this.next()) as { readonly id: unknown };
      answers.set(answer.id, answer);
    }
    return answers;
  }
}

/** A promise that a test settles when it is time. */
export function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
} {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
