import type { Clock } from '../lib/clock.ts';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { KeeperConnection } from './keeper-connection.ts';
import { type KeeperEvent, PROTOCOL, type Snapshot } from './protocol.ts';

export interface KeeperSearchPorts {
  readonly clock: Clock;
  /** Where a keeper listens, if there is one. */
  readonly socketPath: string;
  /** Starts a keeper that will listen there. */
  readonly startKeeper: () => Promise<void>;
  /** Kills a keeper that does not answer. */
  readonly killKeeper: () => Promise<void>;
  readonly onEvent: (event: KeeperEvent) => void;
  /** The keeper went away unasked, or cannot be had, in words; another one is started. */
  readonly onLost: (reason: string) => void;
}

/** A keeper that answers and is understood. */
export interface FoundKeeper {
  readonly connection: KeeperConnection;
  readonly snapshot: Snapshot;
}

/** How long a keeper that was just started may take until it listens. */
const LISTENS_WITHIN_MS = 10_000;
const LOOK_MS = 20;
/** How long one of another build may take to write what it has. */
const ENDS_WITHIN_MS = 1_000;

/**
 * Finds the keeper that an earlier daemon left, else starts one.
 *
 * INVARIANTS: one search at a time (its caller's duty); once given up it starts, kills and keeps
 * nothing.
 */
export class KeeperSearch {
  readonly #ports: KeeperSearchPorts;
  readonly #onClosed: (connection: KeeperConnection) => void;
  #candidate: KeeperConnection | null = null;
  #isGivenUp = false;

  /** `onClosed`: a connection that was found has ended, whoever ended it. */
  constructor(ports: KeeperSearchPorts, onClosed: (connection: KeeperConnection) => void) {
    this.#ports = ports;
    this.#onClosed = onClosed;
  }

  /** `null` when it was given up. @throws ProcessmasterError when no keeper can be had for now */
  async find(): Promise<FoundKeeper | null> {
    const there = await this.#tryOpen();
    const kept = there === null ? null : await this.#greet(there);
    if (kept !== null || this.#isGivenUp) return kept;
    await this.#ports.startKeeper();
    const started = await this.#listening();
    if (started === null) return null;
    const found = await this.#greet(started);
    if (found !== null || this.#isGivenUp) return found;
    throw new ProcessmasterError('protocol', 'the keeper that was just started is of no use');
  }

  giveUp(): void {
    this.#isGivenUp = true;
    this.#candidate?.close();
  }

  /** `null` when given up. */
  async #listening(): Promise<KeeperConnection | null> {
    const { clock, socketPath } = this.#ports;
    const deadlineMs = clock.monotonicMs() + LISTENS_WITHIN_MS;
    while (!this.#isGivenUp) {
      const connection = await this.#tryOpen();
      if (connection !== null) return connection;
      if (clock.monotonicMs() > deadlineMs) {
        const message = `cannot start the keeper: it does not listen on '${socketPath}'`;
        throw new ProcessmasterError('timeout', message);
      }
      await new Promise<void>((resolve) => clock.schedule(LOOK_MS, resolve));
    }
    return null;
  }

  /** `null` when it is of no use and was killed, or when given up. */
  async #greet(connection: KeeperConnection): Promise<FoundKeeper | null> {
    this.#candidate = connection;
    if (this.#isGivenUp) connection.close();
    const hello = await connection.call('hello', {}).catch(messageOf);
    this.#candidate = null;
    if (this.#isGivenUp) {
      connection.close();
      return null;
    }
    if (typeof hello !== 'string' && hello.protocol === PROTOCOL) {
      return { connection, snapshot: hello };
    }
    this.#ports.onLost(
      typeof hello === 'string'
        ? `the keeper does not answer (${hello})`
        : `the keeper (pid ${hello.pid}) speaks protocol ${hello.protocol}, this build ${PROTOCOL}`,
    );
    // A last chance to write what it has read; a build that does not know the word is killed anyway.
    if (typeof hello !== 'string') await connection.call('end', {}, ENDS_WITHIN_MS).catch(() => {});
    connection.close();
    if (this.#isGivenUp) return null;
    // It went away between two calls, or it is stuck: then it would only be found again.
    await this.#ports.killKeeper();
    return null;
  }

  /** `null` when nobody listens. */
  async #tryOpen(): Promise<KeeperConnection | null> {
    try {
      const connection: KeeperConnection = await KeeperConnection.open(this.#ports.socketPath, {
        onEvent: (event) => this.#ports.onEvent(event),
        onStuck: () => void this.#endStuck(connection),
        onClosed: () => this.#onClosed(connection),
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
}
