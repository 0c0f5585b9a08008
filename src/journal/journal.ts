import type { Clock } from '../lib/clock.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { RecordedEvent, ServiceEvent } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import { isCorruption, JournalDatabase, setAsideDatabase } from './journal-database.ts';
import * as rows from './journal-rows.ts';
import { PendingWrites, type RunRecord } from './pending-writes.ts';
import { type KeptSpecs, prepareSpecs, selectSpecs } from './spec-rows.ts';

export interface JournalOptions {
  /** Older events and runs are removed by {@link Journal.prune}. */
  readonly maxAgeMs: number;
  /** The oldest events are removed while the file's content is larger. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

export interface JournalHealth {
  readonly ok: boolean;
  /** Why the journal cannot be written; empty when it can. */
  readonly reason: string;
  /** Events that were pushed out of memory meanwhile, and are lost. */
  readonly droppedEvents: number;
}

/** So many events are written without waiting for the end of the turn. */
const FLUSH_AT_ONCE = 256;

/** How long a file that could not be written is left alone. */
const RETRY_MS = 1_000;

/**
 * Events, runs, intents, counters and the specs in force: what outlives the daemon.
 *
 * INVARIANTS: after `open` no method throws, supervision goes on without its journal; every write
 * goes through memory into the file, intents and counters at once, the others at the end of the turn; it stays in memory (bounded) while the file cannot be written, so a read sees it in either
 * case; `seq` and the counters never go back.
 */
export class Journal {
  readonly #directory: string;
  readonly #options: JournalOptions;
  readonly #pending = new PendingWrites();
  readonly #setAside: string[] = [];
  #database: JournalDatabase | null = null;
  #scheduled: NodeJS.Immediate | null = null;
  #failure: unknown = null;
  #retryAtMs = 0;
  #lastSeq = 0;
  #lastIntentId = 0;

  /**
   * Opens the journal in `directory`. A damaged file is set aside (see {@link setAside}); one that
   * cannot be opened is tried again with the writes to come (see {@link health}).
   * @throws ProcessmasterError `invalid_config` when a newer version of this program made it.
   */
  static open(directory: string, options: JournalOptions): Journal {
    const journal = new Journal(directory, options);
    journal.#attempt(() => {});
    if (journal.#failure instanceof ProcessmasterError) throw journal.#failure;
    return journal;
  }

  private constructor(directory: string, options: JournalOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  get health(): JournalHealth {
    this.#flush();
    const ok = this.#failure === null;
    const reason = ok
      ? ''
      : `cannot use the journal in '${this.#directory}': ${messageOf(this.#failure)}`;
    return { ok, reason, droppedEvents: this.#pending.droppedEvents };
  }

  /** Where damaged journals were moved to by this one, for an event that says so. */
  get setAside(): readonly string[] {
    return this.#setAside;
  }

  /** Records an event; returns its number. */
  appendEvent(event: ServiceEvent): number {
    this.#lastSeq += 1;
    this.#pending.addEvent({ ...event, seq: this.#lastSeq });
    this.#flushSoon();
    return this.#lastSeq;
  }

  /** Recorded events, newest last. */
  events(query: rows.EventQuery): readonly RecordedEvent[] {
    const stored = this.#read((database) => rows.selectEvents(database, query), []);
    const { service, afterSeq = 0 } = query;
    const pending = this.#pending.events.filter(
      (event) => event.seq > afterSeq && (service === undefined || event.service === service),
    );
    const all = [...stored, ...pending];
    if (query.limit <= 0) return [];
    return query.afterSeq === undefined ? all.slice(-query.limit) : all.slice(0, query.limit);
  }

  /** Intents of this boot; those of earlier boots are over and are removed. */
  loadIntents(bootId: string): readonly (readonly [ServiceName, Intent])[] {
    const byName = new Map(this.#read((database) => rows.selectIntents(database, bootId), []));
    for (const [name, { intent }] of this.#pending.intentsByName) {
      if (intent === null) byName.delete(name);
      else byName.set(name, intent);
    }
    this.#attempt((database) => rows.deleteIntentsOfOtherBoots(database, bootId));
    return [...byName];
  }

  /** Replaces the intent of a service; `null` takes it back. */
  saveIntent(service: ServiceName, intent: Intent | null, bootId: string): void {
    this.#pending.intentsByName.set(service, { service, bootId, intent });
    this.#flush();
  }

  /** A number greater than every one before, also before a restart of the daemon. */
  nextIntentId(): number {
    this.raiseIntentId(Math.max(this.#lastIntentId, this.#counter(INTENT_ID)) + 1);
    return this.#lastIntentId;
  }

  /** Makes sure that {@link nextIntentId} is above an id that is known from elsewhere. */
  raiseIntentId(atLeast: number): void {
    if (atLeast <= this.#lastIntentId) return;
    this.#lastIntentId = atLeast;
    this.#raiseCounter(INTENT_ID, atLeast);
  }

  /** Number of the newest accepted spec of a service; 0 when there was none. */
  lastGeneration(service: ServiceName): number {
    return this.#counter(generationOf(service));
  }

  saveGeneration(service: ServiceName, generation: number): void {
    this.#raiseCounter(generationOf(service), generation);
  }

  /**
   * The specs that were in force last; `null` when this journal never kept any. Read once, at start:
   * what is to be written does not show.
   */
  loadSpecs(): KeptSpecs | null {
    if (this.#counter(SPECS_KEPT) === 0) return null;
    return this.#read<KeptSpecs | null>(selectSpecs, null);
  }

  /** Replaces the specs in force of these services; `null` forgets one. */
  saveSpecs(specsByName: ReadonlyMap<ServiceName, AcceptedSpec | null>): void {
    this.#pending.countersByName.set(SPECS_KEPT, 1);
    for (const [name, accepted] of specsByName) this.#pending.specsByName.set(name, accepted);
    this.#flushSoon();
  }

  /** Number of the newest run of a service; 0 when there was none. */
  lastRunNumber(service: ServiceName): number {
    let last = this.#read((database) => rows.lastRun(database, service), 0);
    for (const record of this.#pending.runsByKey.values()) {
      if (record.service === service) last = Math.max(last, record.run);
    }
    return last;
  }

  recordRunStarted(service: ServiceName, run: number, startedAtMs: number, reason: string): void {
    this.#recordRun({ service, run, startedAtMs, endedAtMs: null, exit: null, reason });
  }

  /** `exit` is kept as JSON. */
  recordRunEnded(service: ServiceName, run: number, endedAtMs: number, exit: unknown): void {
    this.#recordRun({ service, run, startedAtMs: null, endedAtMs, exit, reason: null });
  }

  /** The last runs of a service, newest last. */
  runs(service: ServiceName, limit: number): readonly RunRecord[] {
    const stored = this.#read((database) => rows.selectRuns(database, service, limit), []);
    return limit <= 0 ? [] : this.#pending.withRuns(stored, service).slice(-limit);
  }

  /** Removes what is too old, then the oldest events while the content is too large. */
  prune(nowMs: number): void {
    this.#flush();
    this.#attempt((database) => {
      rows.pruneByAge(database, nowMs - this.#options.maxAgeMs);
      rows.pruneBySize(database, this.#options.maxBytes);
    });
  }

  /** Writes what is left and closes the file. */
  close(): void {
    this.#retryAtMs = 0;
    this.#flush();
    this.#closeDatabase();
  }

  #recordRun(record: RunRecord): void {
    this.#pending.addRun(record);
    this.#flushSoon();
  }

  #counter(name: string): number {
    const pending = this.#pending.countersByName.get(name);
    return pending ?? this.#read((database) => rows.selectCounter(database, name), 0);
  }

  /** The table keeps the greater of what it has and what it is given. */
  #raiseCounter(name: string, value: number): void {
    this.#pending.countersByName.set(name, value);
    this.#flush();
  }

  /**
   * Events and runs of one turn of the loop share a transaction: a thousand services that start at
   * once would else spend more time here than in starting.
   */
  #flushSoon(): void {
    if (this.#pending.events.length >= FLUSH_AT_ONCE) this.#flush();
    else this.#scheduled ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#scheduled ?? undefined);
    this.#scheduled = null;
    if (this.#pending.isEmpty) return;
    this.#attempt((database) => {
      rows.insertPending(database, this.#pending);
      this.#pending.clear();
    });
  }

  /** Reads go on while only writing fails (a full disk), and say nothing about writing. */
  #read<T>(read: (database: JournalDatabase) => T, otherwise: T): T {
    if (this.#database === null && this.#isTooSoon()) return otherwise;
    try {
      return this.#use(read);
    } catch (error) {
      this.#fail(error);
      return otherwise;
    }
  }

  /** Changes the file, unless that failed just now. */
  #attempt(change: (database: JournalDatabase) => void): void {
    if (this.#isTooSoon()) return;
    try {
      this.#use(change);
      this.#failure = null;
    } catch (error) {
      this.#fail(error);
    }
  }

  #isTooSoon(): boolean {
    return this.#failure !== null && this.#options.clock.monotonicMs() < this.#retryAtMs;
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#retryAtMs = this.#options.clock.monotonicMs() + RETRY_MS;
  }

  /** Works with the open file; a damaged one is replaced, once. */
  #use<T>(work: (database: JournalDatabase) => T): T {
    try {
      this.#database ??= this.#connect();
      return work(this.#database);
    } catch (error) {
      if (!isCorruption(error)) throw error;
      this.#closeDatabase();
      this.#setAside.push(setAsideDatabase(this.#directory));
      this.#database = this.#connect();
      return work(this.#database);
    }
  }

  #connect(): JournalDatabase {
    const database = new JournalDatabase(this.#directory);
    prepareSpecs(database);
    const storedSeq = rows.lastSeq(database);
    const firstSeq = this.#pending.events[0]?.seq ?? this.#lastSeq + 1;
    if (storedSeq >= firstSeq) {
      this.#pending.renumberEvents(storedSeq);
      this.#lastSeq += storedSeq;
    }
    return database;
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

const INTENT_ID = 'intent id';
const SPECS_KEPT = 'specs kept';

function generationOf(service: ServiceName): string {
  return `generation of ${service}`;
}
