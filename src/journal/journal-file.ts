import type { Clock } from '../lib/clock.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { isCorruption, JournalDatabase, setAsideDatabase } from './journal-database.ts';

export interface JournalFileOptions {
  /** The state directory. */
  readonly directory: string;
  readonly clock: Clock;
  /** A file was found, to write or only to read: what is numbered goes on from it. */
  readonly onFound: (database: JournalDatabase) => void;
  /** It failed, or it works again. */
  readonly onChange: () => void;
  /** A damaged file was moved to this path, and a fresh one is used. */
  readonly onSetAside: (path: string) => void;
  /** It is time to write what waits. */
  readonly onRetry: () => void;
}

/** How long a file that could not be written is left alone. */
const RETRY_MS = 1_000;

/**
 * The journal's file as it comes and goes: full, read-only, missing, damaged, not ours.
 *
 * INVARIANTS: nothing throws; a file that failed is left alone for a second, then tried again; one
 * in a folder that others may change, or of a newer version, is not touched again; what can only be
 * read is read.
 */
export class JournalFile {
  readonly #options: JournalFileOptions;
  #database: JournalDatabase | null = null;
  #readOnly: JournalDatabase | null = null;
  #failure: unknown = null;
  #isGivenUp = false;
  #retryAtMs = 0;
  #cancelRetry: () => void = () => {};

  constructor(options: JournalFileOptions) {
    this.#options = options;
  }

  /** Why it could not be used last; `null` when it could. */
  get failure(): unknown {
    return this.#failure;
  }

  /** It is not used again by this daemon. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Reads go on while only writing fails (a full disk), and say nothing about writing. */
  read<T>(read: (database: JournalDatabase) => T, otherwise: T): T {
    if (this.#database === null && this.#isTooSoon()) return this.#readWhatIsThere(read, otherwise);
    try {
      return this.#use(read);
    } catch (error) {
      this.#fail(error);
      return this.#readWhatIsThere(read, otherwise);
    }
  }

  /** Changes the file, unless that failed just now. */
  attempt(change: (database: JournalDatabase) => void): void {
    if (this.#isTooSoon()) return;
    try {
      this.#use(change);
      this.#recover();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The next attempt is made however short ago the last one failed. */
  hurry(): void {
    this.#retryAtMs = 0;
  }

  close(): void {
    this.#cancelRetry();
    this.#closeReadOnly();
    this.#closeDatabase();
  }

  #isTooSoon(): boolean {
    if (this.#failure === null) return false;
    return this.#isGivenUp || this.#options.clock.monotonicMs() < this.#retryAtMs;
  }

  #fail(error: unknown): void {
    const isNew = this.#failure === null;
    this.#failure = error;
    this.#isGivenUp = isFinal(error);
    const { clock, onRetry, onChange } = this.#options;
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    this.#cancelRetry();
    if (!this.#isGivenUp) {
      this.#cancelRetry = clock.schedule(RETRY_MS, () => {
        this.hurry();
        onRetry();
      });
    }
    if (isNew) onChange();
  }

  #recover(): void {
    if (this.#failure === null) return;
    this.#failure = null;
    this.#cancelRetry();
    this.#options.onChange();
  }

  /** Works with the open file; a damaged one is replaced, once. */
  #use<T>(work: (database: JournalDatabase) => T): T {
    try {
      return work(this.#open());
    } catch (error) {
      if (!isCorruption(error)) throw error;
      this.#closeDatabase();
      this.#options.onSetAside(setAsideDatabase(this.#options.directory));
      return work(this.#open());
    }
  }

  #open(): JournalDatabase {
    if (this.#database !== null) return this.#database;
    // Before: connections of one process share the index, and with it that it is read-only.
    this.#closeReadOnly();
    const database = JournalDatabase.open(this.#options.directory);
    this.#database = database;
    this.#options.onFound(database);
    return database;
  }

  /** What earlier daemons left counts, an operator's stop above all. */
  #readWhatIsThere<T>(read: (database: JournalDatabase) => T, otherwise: T): T {
    if (this.#database !== null || this.#isGivenUp) return otherwise;
    try {
      return read(this.#openToRead());
    } catch {
      // Why the file cannot be used is told of already.
      return otherwise;
    }
  }

  #openToRead(): JournalDatabase {
    if (this.#readOnly !== null) return this.#readOnly;
    const database = JournalDatabase.openToRead(this.#options.directory);
    this.#readOnly = database;
    this.#options.onFound(database);
    return database;
  }

  #closeReadOnly(): void {
    this.#readOnly?.close();
    this.#readOnly = null;
  }

  #closeDatabase(): void {
    try {
      this.#database?.close();
    } catch (error) {
      // The descriptors go with the process; what was committed is in the write-ahead log.
      this.#failure = error;
    }
    this.#database = null;
  }
}

/** Others may change what is there, or it means something that we do not know: hands off. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof ProcessmasterError &&
    (error.code === 'unsafe_path' || error.code === 'invalid_config')
  );
}
