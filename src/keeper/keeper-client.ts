import type { Clock } from '../lib/clock.ts';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { CaptureOrder } from '../logs/capture.ts';
import type { ProcessIdentity } from '../model/observation.ts';
import { KeeperConnection } from './keeper-connection.ts';
import type { KeeperPort } from './keeper-port.ts';
import {
  type Hello,
  type KeeperEvent,
  type LaunchOrder,
  PROTOCOL,
  type Snapshot,
} from './protocol.ts';

export interface KeeperClientPorts {
  readonly clock: Clock;
  /** Where a keeper listens, if there is one. */
  readonly socketPath: string;
  /** Starts a keeper that will listen there. */
  readonly startKeeper: () => Promise<void>;
  /** Kills a keeper that does not answer. */
  readonly killKeeper: () => Promise<void>;
  /** What a keeper is told first. */
  readonly hello: Hello;
  /** A keeper is there; told before anything that happens later. */
  readonly onFound: (snapshot: Snapshot) => void;
  readonly onEvent: (event: KeeperEvent) => void;
  /** The keeper went away unasked, or cannot be had, in words; another one is started. */
  readonly onLost: (reason: string) => void;
}

/** How long a keeper that was just started may take until it listens. */
const LISTENS_WITHIN_MS = 10_000;
const LOOK_MS = 20;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;
/** How long who needs the keeper waits for the next one. */
const PATIENCE_MS = 5_000;
const ENDS_WITHIN_MS = 5_000;

/**
 * The keeper as the daemon has it: the one that an earlier daemon left, else one of its own, and
 * another one whenever it is lost.
 *
 * INVARIANTS: at most one connection; while there is none, whoever needs it waits, but not for ever.
 */
export class KeeperClient implements KeeperPort {
  readonly #ports: KeeperClientPorts;
  #connection: KeeperConnection | null = null;
  #waiting = new Set<() => void>();
  #failures = 0;
  #closed = false;
  #cancelRetry: () => void = () => {};

  constructor(ports: KeeperClientPorts) {
    this.#ports = ports;
  }

  /** Resolves when a keeper is there, or could not be had for now: then it is tried again. */
  async open(): Promise<void> {
    try {
      await this.#connect();
      this.#failures = 0;
    } catch (error) {
      this.#ports.onLost(`no keeper can be had: ${messageOf(error)}`);
      this.#retryLater();
    }
  }

  async ready(): Promise<void> {
    await this.#present();
  }

  async launch(order: LaunchOrder): Promise<ProcessIdentity> {
    return (await this.#present()).call('launch', order);
  }

  async capture(name: string, runNumber: number, order: CaptureOrder): Promise<void> {
    await (await this.#present()).call('capture', { name, runNumber, order });
  }

  /** A keeper that is gone has nothing left to write. */
  async drain(name: string, deadlineMs: number): Promise<void> {
    await this.#connection?.call('drain', { name, deadlineMs }).catch(unlessGone);
  }

  async detach(name: string): Promise<void> {
    await this.#connection?.call('detach', { name }).catch(unlessGone);
  }

  /** Lets the keeper forget the end of a run; one that is gone has forgotten it. */
  acknowledge(name: string, runNumber: number): void {
    void this.#connection?.call('ack', { name, runNumber }).catch(unlessGone);
  }

  /** Leaves the keeper to the next daemon. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#connection?.close();
    this.#connection = null;
  }

  /** Ends the keeper, for nothing is left to keep. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    const connection = this.#connection;
    if (connection === null) return;
    const gone = new Promise<void>((resolve) => this.#waiting.add(resolve));
    await connection.call('end', {}).catch(unlessGone);
    await Promise.race([gone, pause(this.#ports.clock, ENDS_WITHIN_MS)]);
    this.close();
  }

  async #connect(): Promise<void> {
    const found = await this.#tryOpen();
    const connection = found ?? (await this.#startAndOpen());
    const snapshot = await connection.call('hello', this.#ports.hello).catch(unlessGone);
    if (snapshot === null) return this.#killAndConnect();
    if (snapshot.protocol !== PROTOCOL) return this.#replace(connection, snapshot);
    this.#connection = connection;
    this.#ports.onFound(snapshot);
    this.#wakeAll();
  }

  /** It went away between two calls, or it is stuck: then it would only be found again. */
  async #killAndConnect(): Promise<void> {
    this.#ports.onLost('the keeper does not answer');
    await this.#ports.killKeeper();
    await this.#connect();
  }

  /** One of another build that we do not understand: its services run on, as without any. */
  async #replace(connection: KeeperConnection, { protocol, pid }: Snapshot): Promise<void> {
    this.#ports.onLost(
      `the keeper (pid ${pid}) speaks protocol ${protocol}, this build ${PROTOCOL}`,
    );
    await connection.call('end', {}).catch(unlessGone);
    connection.close();
    await this.#connect();
  }

  async #startAndOpen(): Promise<KeeperConnection> {
    await this.#ports.startKeeper();
    const deadlineMs = this.#ports.clock.monotonicMs() + LISTENS_WITHIN_MS;
    for (;;) {
      const connection = await this.#tryOpen();
      if (connection !== null) return connection;
      if (this.#ports.clock.monotonicMs() > deadlineMs) {
        const why = `it does not listen on '${this.#ports.socketPath}'`;
        throw new ProcessmasterError('timeout', `cannot start the keeper: ${why}`);
      }
      await pause(this.#ports.clock, LOOK_MS);
    }
  }

  /** `null` when nobody listens. */
  async #tryOpen(): Promise<KeeperConnection | null> {
    try {
      const connection: KeeperConnection = await KeeperConnection.open(this.#ports.socketPath, {
        onEvent: (event) => this.#ports.onEvent(event),
        onStuck: () => void this.#endStuck(connection),
        onClosed: () => this.#lost(connection),
      });
      return connection;
    } catch (error) {
      // Anything else says nothing about whether a keeper is there: two would be one too many.
      if (isErrno(error, 'ENOENT', 'ECONNREFUSED')) return null;
      throw error;
    }
  }

  /** Dead before it is given up: what it was asked for must not happen later. */
  async #endStuck(connection: KeeperConnection): Promise<void> {
    await this.#ports.killKeeper().catch((error) => this.#ports.onLost(messageOf(error)));
    connection.close();
  }

  #lost(connection: KeeperConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (this.#closed) {
      this.#wakeAll();
      return;
    }
    this.#ports.onLost('the keeper is gone');
    void this.open();
  }

  #retryLater(): void {
    if (this.#closed) return;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS);
    this.#failures += 1;
    this.#cancelRetry = this.#ports.clock.schedule(delayMs, () => void this.open());
  }

  async #present(): Promise<KeeperConnection> {
    if (this.#connection === null && !this.#closed) {
      const found = new Promise<void>((resolve) => this.#waiting.add(resolve));
      await Promise.race([found, pause(this.#ports.clock, PATIENCE_MS)]);
    }
    if (this.#connection !== null) return this.#connection;
    throw new ProcessmasterError('unreachable', 'there is no keeper for the services', {
      stage: 'ask the keeper',
    });
  }

  #wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(ms, resolve));
}

/** What a keeper had to do is done when it is gone. */
function unlessGone(error: unknown): null {
  if (error instanceof ProcessmasterError && error.code === 'unreachable') return null;
  throw error;
}
