import type { Clock } from '../lib/clock.ts';
import { type ErrorCode, messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { CapturePaths } from '../logs/capture.ts';
import type { ProcessIdentity } from '../model/observation.ts';
import type { KeeperConnection } from './keeper-connection.ts';
import type { KeeperPort } from './keeper-port.ts';
import { KeeperSearch, type KeeperSearchPorts } from './keeper-search.ts';
import type { LaunchOrder, Snapshot } from './protocol.ts';

export interface KeeperClientPorts extends KeeperSearchPorts {
  /** A keeper is there; told before anything that happens later. */
  readonly onFound: (snapshot: Snapshot) => void;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;
/** One that goes away sooner is likely to do so again. */
const STABLE_AFTER_MS = 60_000;
/** How long who needs the keeper waits for the next one. */
const PATIENCE_MS = 5_000;
const ENDS_WITHIN_MS = 5_000;
/** What nobody depends on is not waited for longer than this. */
const MOMENT_MS = 1_000;

/**
 * The keeper as the daemon has it: the one that an earlier daemon left, else one of its own, and
 * another one whenever it is lost, at once the first time, ever later when it does not last.
 *
 * INVARIANTS: at most one connection and one search for it; while there is none, whoever needs it
 * waits, but not for ever; nothing is begun once it is closed.
 */
export class KeeperClient implements KeeperPort {
  readonly #ports: KeeperClientPorts;
  readonly #search: KeeperSearch;
  #connection: KeeperConnection | null = null;
  #opening: Promise<void> | null = null;
  #foundAtMs = 0;
  #waiting = new Set<() => void>();
  /** Times in a row that it was lost soon, or could not be had. */
  #failures = 0;
  #closed = false;
  #cancelRetry: () => void = () => {};

  constructor(ports: KeeperClientPorts) {
    this.#ports = ports;
    this.#search = new KeeperSearch(ports, (connection) => this.#lost(connection));
  }

  /** Resolves when a keeper is there, or could not be had for now: then it is tried again. */
  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** Resolves when it can be asked. @throws ProcessmasterError `withdrawn` after a while */
  async ready(): Promise<void> {
    await this.#present();
  }

  async launch(order: LaunchOrder): Promise<ProcessIdentity> {
    return (await this.#present()).call('launch', order);
  }

  async capture(name: string, runNumber: number, paths: CapturePaths): Promise<void> {
    await (await this.#present()).call('capture', { name, runNumber, paths });
  }

  /** A keeper that is gone has nothing left to write; for a stuck one nobody waits. */
  async drain(name: string, deadlineMs: number): Promise<void> {
    const params = { name, deadlineMs };
    const withinMs = deadlineMs + MOMENT_MS;
    await this.#connection?.call('drain', params, withinMs).catch(unlessGoneOrStuck);
  }

  async detach(name: string): Promise<void> {
    await this.#connection?.call('detach', { name }, MOMENT_MS).catch(unlessGoneOrStuck);
  }

  /** Lets the keeper forget the end of a run; one that is gone has forgotten it. */
  acknowledge(name: string, runNumber: number): void {
    void this.#connection?.call('ack', { name, runNumber }).catch(unlessGone);
  }

  /** Leaves the keeper to the next daemon. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#search.giveUp();
    this.#connection?.close();
    this.#connection = null;
    this.#wakeAll();
  }

  /** Ends the keeper, for nothing is left to keep. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    this.#search.giveUp();
    const tooLate = pause(this.#ports.clock, ENDS_WITHIN_MS);
    // One that is being started would be there after the end.
    await Promise.race([this.#opening, tooLate]);
    const connection = this.#connection;
    if (connection === null) return;
    const gone = new Promise<void>((resolve) => this.#waiting.add(resolve));
    await connection.call('end', {}).catch(unlessGone);
    await Promise.race([gone, tooLate]);
    this.close();
  }

  async #open(): Promise<void> {
    this.#cancelRetry();
    if (this.#closed || this.#connection !== null) return;
    try {
      const found = await this.#search.find();
      if (found === null) return;
      const { connection, snapshot } = found;
      if (this.#closed) return connection.close();
      if (!connection.isOpen) throw new ProcessmasterError('unreachable', 'it is gone already');
      this.#connection = connection;
      this.#foundAtMs = this.#ports.clock.monotonicMs();
      this.#ports.onFound(snapshot);
      this.#wakeAll();
    } catch (error) {
      if (this.#closed) return;
      this.#ports.onLost(`no keeper can be had: ${messageOf(error)}`);
      this.#retryLater();
    }
  }

  #lost(connection: KeeperConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (this.#closed) {
      this.#wakeAll();
      return;
    }
    this.#ports.onLost('the keeper is gone');
    const livedMs = this.#ports.clock.monotonicMs() - this.#foundAtMs;
    if (livedMs >= STABLE_AFTER_MS) this.#failures = 0;
    this.#retryLater();
  }

  #retryLater(): void {
    const delayMs = retryDelayMs(this.#failures);
    this.#failures += 1;
    this.#cancelRetry();
    this.#cancelRetry = this.#ports.clock.schedule(delayMs, () => void this.open());
  }

  async #present(): Promise<KeeperConnection> {
    if (this.#connection === null && !this.#closed) {
      const found = new Promise<void>((resolve) => this.#waiting.add(resolve));
      await Promise.race([found, pause(this.#ports.clock, PATIENCE_MS)]);
    }
    if (this.#connection !== null) return this.#connection;
    throw new ProcessmasterError('withdrawn', 'there is no keeper for the services', {
      stage: 'ask the keeper',
    });
  }

  #wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** None the first time, then doubling. */
function retryDelayMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(ms, resolve));
}

/** What a keeper had to do is done when it is gone. */
function unlessGone(error: unknown): null {
  if (isCode(error, 'unreachable', 'withdrawn')) return null;
  throw error;
}

function unlessGoneOrStuck(error: unknown): null {
  return isCode(error, 'timeout') ? null : unlessGone(error);
}

function isCode(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof ProcessmasterError && codes.includes(error.code);
}
