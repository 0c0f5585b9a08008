import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { RecordedEvent, ServiceEvent } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import type { SlotRecord } from '../model/job-progress.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { UserFlag } from '../model/user-flag.ts';
import type { JobRunRecord } from './job-rows.ts';
import * as jobRows from './job-rows.ts';
import type { JournalDatabase } from './journal-database.ts';
import { JournalFile } from './journal-file.ts';
import * as rows from './journal-rows.ts';
import { PendingWrites, type RunRecord } from './pending-writes.ts';
import { type KeptSpecs, selectSpecs } from './spec-rows.ts';

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

/** Who wants to know what becomes of the file. */
export interface JournalListener {
  /** It cannot be written any more, or it can again. */
  readonly onHealth: (health: JournalHealth) => void;
  /** It was damaged and is to be found at this path; the new one knows only what is told it. */
  readonly onSetAside: (path: string) => void;
}

/** So many events are written without waiting for the end of the turn. */
const FLUSH_AT_ONCE = 256;

/**
 * Events, runs, intents, counters and the specs in force: what outlives the daemon.
 *
 * INVARIANTS: no method throws, supervision goes on without its journal; every write goes through
 * memory into the file, intents, flags and counters at once, the others at the end of the turn; it
 * stays in memory (bounded) while the file cannot be written, so a read sees it in either case; `seq`
 * and the counters never go back.
 */
export class Journal {
  readonly #directory: string;
  readonly #options: JournalOptions;
  readonly #file: JournalFile;
  readonly #pending = new PendingWrites();
  readonly #setAside: string[] = [];
  #listener: JournalListener | null = null;
  #scheduled: NodeJS.Immediate | null = null;
  readonly #waiting: (() => void)[] = [];
  #lastSeq = 0;
  #lastIntentId = 0;

  /**
   * Opens the journal in `directory`. A damaged file is set aside (see {@link setAside}); one that
   * cannot be opened is tried again, unless it is not ours to use (see {@link health}).
   */
  static open(directory: string, options: JournalOptions): Journal {
    const journal = new Journal(directory, options);
    journal.#attempt(() => {});
    // Whatever can be read is numbered on from.
    journal.#read(() => {}, undefined);
    return journal;
  }

  private constructor(directory: string, options: JournalOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#file = new JournalFile({
      directory,
      clock: options.clock,
      onFound: (database) => this.#numberAfter(database),
      onChange: () => this.#listener?.onHealth(this.#health()),
      onSetAside: (path) => {
        this.#setAside.push(path);
        this.#listener?.onSetAside(path);
      },
      onRetry: () => this.#flush(),
    });
  }

  get health(): JournalHealth {
    this.#flush();
    return this.#health();
  }

  /** Tells `listener` of what becomes of the file, and of what has become of it so far. */
  watch(listener: JournalListener): void {
    this.#listener = listener;
    if (this.#file.failure !== null) listener.onHealth(this.#health());
    for (const path of this.#setAside) listener.onSetAside(path);
  }

  /** Number of the newest event; 0 when there is none. */
  get lastSeq(): number {
    return this.#lastSeq;
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
    const { service, afterSeq = 0, sinceMs = 0 } = query;
    const pending = this.#pending.events.filter(
      (event) =>
        event.seq > afterSeq &&
        event.atMs >= sinceMs &&
        (service === undefined || event.service === service),
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

  /** User flags of all services, also those whose time is over. */
  loadFlags(): readonly (readonly [ServiceName, readonly UserFlag[]])[] {
    const byName = new Map(this.#read((database) => rows.selectFlags(database), []));
    for (const [name, flags] of this.#pending.flagsByName) byName.set(name, flags);
    return [...byName];
  }

  /** Replaces the user flags of a service. */
  saveFlags(service: ServiceName, flags: readonly UserFlag[]): void {
    this.#pending.flagsByName.set(service, flags);
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

  /** Replaces what is known of these slots of a job. On the disk when {@link written} resolves. */
  recordSlots(service: ServiceName, slots: readonly SlotRecord[]): void {
    for (const slot of slots) this.#pending.addSlot(service, slot);
    this.#flushSoon();
  }

  /** Replaces what is known of a job's run. */
  recordJobRun(record: JobRunRecord): void {
    this.#pending.addJobRun(record);
    this.#flushSoon();
  }

  /** Replaces how far a job is with its slots, kept as JSON; `null` forgets it. */
  saveProgress(service: ServiceName, progress: unknown): void {
    this.#pending.progressByName.set(service, progress);
    this.#flushSoon();
  }

  /** What {@link saveProgress} was given last; `null` when nothing. */
  loadProgress(service: ServiceName): unknown {
    const pending = this.#pending.progressByName.get(service);
    if (pending !== undefined) return pending;
    return this.#read((database) => jobRows.selectProgress(database, service), null);
  }

  /** Slots of jobs and runs that operators began, newest last. */
  jobHistory(query: jobRows.JobHistoryQuery): readonly jobRows.JobHistoryRecord[] {
    this.#flush();
    return this.#read((database) => jobRows.selectJobHistory(database, query), []);
  }

  /**
   * Resolves when what was recorded so far is on the disk, or is known not to get there for now (see
   * {@link health}). Many who wait share one write.
   */
  written(): Promise<void> {
    if (this.#pending.isEmpty) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#flushSoon();
    });
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
    this.#file.hurry();
    this.#flush();
    this.#file.close();
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
    if (!this.#pending.isEmpty || this.#file.failure !== null) {
      this.#attempt((database) => {
        // Who waits will act on it: a power cut must not have that done twice.
        rows.insertPending(database, this.#pending, { durably: this.#waiting.length > 0 });
        this.#pending.clear();
      });
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #read<T>(read: (database: JournalDatabase) => T, otherwise: T): T {
    return this.#file.read(read, otherwise);
  }

  #attempt(change: (database: JournalDatabase) => void): void {
    this.#file.attempt(change);
  }

  #numberAfter(database: JournalDatabase): void {
    const storedSeq = rows.lastSeq(database);
    const firstSeq = this.#pending.events[0]?.seq ?? this.#lastSeq + 1;
    if (storedSeq < firstSeq) return;
    this.#pending.renumberEvents(storedSeq);
    this.#lastSeq += storedSeq;
  }

  #health(): JournalHealth {
    const { failure, isGivenUp } = this.#file;
    const { droppedEvents } = this.#pending;
    if (failure === null) return { ok: true, reason: '', droppedEvents };
    const next = isGivenUp
      ? 'that journal is not touched until the daemon is started again'
      : 'it is tried again every second';
    const reason = `cannot use the journal in '${this.#directory}': ${messageOf(failure)}; events, runs, intents and flags are kept in memory meanwhile, and lost if the daemon ends; ${next}`;
    return { ok: false, reason, droppedEvents };
  }
}

const INTENT_ID = 'intent id';
const SPECS_KEPT = 'specs kept';

function generationOf(service: ServiceName): string {
  return `generation of ${service}`;
}
