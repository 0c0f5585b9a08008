import type { HistoryFiles } from '../journal/history-files.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { EMPTY_HISTORY, type History } from '../model/history.ts';
import { afterBoot, type JobProgress, type SlotRecord } from '../model/job-progress.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Grows when the shape of {@link History} changes in a way that older files do not fit. */
const VERSION = 1;

interface SavedHistory {
  readonly version: number;
  readonly bootId: string;
  readonly history: History;
}

export interface SavedHistoriesParts {
  readonly files: HistoryFiles;
  readonly journal: Journal;
  readonly bootId: string;
  readonly clock: Clock;
  /** Slots were recorded, some of them perhaps again. */
  readonly onSlots: (name: ServiceName, slots: readonly SlotRecord[]) => void;
  /** What is kept beside the runs cannot be written (why), or is written again (`null`). */
  readonly onTrouble: (reason: string | null) => void;
}

/** What changes again and again in this time is written once. */
const MOMENT_MS = 250;
/** Takes some milliseconds. */
const AT_ONCE = 32;
/** How long files that could not be written are left alone. */
const RETRY_MS = 1_000;

/**
 * Histories as they are kept beside the runs. Written by this program into a folder that only root
 * may enter; one of another boot or another version tells of nothing that still runs.
 *
 * INVARIANTS: nothing here throws, supervision goes on from what is in memory; what is saved is written
 * at once, of jobs (thousands may change in the same minute) within moments, or when it is asked for
 * (`flush`); what could not be written is written as soon as it can be, the newest of each service.
 */
export class SavedHistories {
  readonly #files: HistoryFiles;
  readonly #journal: Journal;
  readonly #bootId: string;
  readonly #clock: Clock;
  readonly #onSlots: SavedHistoriesParts['onSlots'];
  readonly #onTrouble: (reason: string | null) => void;
  readonly #toldRuns = new Map<
    ServiceName,
    { readonly number: number; readonly isEnded: boolean }
  >();
  readonly #toldJobs = new Map<ServiceName, JobProgress | null>();
  readonly #unsaved = new Map<ServiceName, SavedHistory>();
  #trouble: string | null = null;
  #cancelWrite: (() => void) | null = null;
  readonly #waitingByName = new Map<ServiceName, (() => void)[]>();
  #cancelRetry: () => void = () => {};

  constructor({ files, journal, bootId, clock, onSlots, onTrouble }: SavedHistoriesParts) {
    this.#files = files;
    this.#journal = journal;
    this.#bootId = bootId;
    this.#clock = clock;
    this.#onSlots = onSlots;
    this.#onTrouble = onTrouble;
  }

  /** Why what is kept beside the runs cannot be written; `null` when it can. */
  get trouble(): string | null {
    return this.#trouble;
  }

  load(name: ServiceName): History {
    return this.#accept(this.#files.load(name)) ?? this.#fresh(name);
  }

  /** Every service that an earlier daemon of this boot left a history of. */
  loadAll(): ReadonlyMap<ServiceName, History> {
    const histories = new Map<ServiceName, History>();
    for (const [name, saved] of this.#files.loadAll()) {
      const history = this.#accept(saved);
      if (history !== null) histories.set(name, history);
    }
    return histories;
  }

  save(name: ServiceName, history: History): void {
    this.#recordRun(name, history);
    this.#recordJob(name, history);
    const saved: SavedHistory = { version: VERSION, bootId: this.#bootId, history };
    this.#unsaved.set(name, saved);
    if (history.job === null) this.flush(name);
    else this.#writeLater(MOMENT_MS);
  }

  /** Writes what was saved of a service, now: what is done next cannot be undone. */
  flush(name: ServiceName): void {
    // While the disk is full, not every change of every service is worth a try.
    if (this.#unsaved.has(name) && this.#trouble === null) this.#write([name]);
  }

  /** Resolves when what was saved of a service is written. */
  written(name: ServiceName): Promise<void> {
    if (!this.#unsaved.has(name)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waitingByName.set(name, [...(this.#waitingByName.get(name) ?? []), resolve]);
    });
  }

  /** It is not defined any more: defined again, its slots are counted from then on. */
  forgetJob(name: ServiceName): void {
    this.#toldJobs.delete(name);
    this.#journal.saveProgress(name, null);
  }

  /** Slots that were decided on; resolves when they are on the disk. */
  recordSlots(name: ServiceName, slots: readonly SlotRecord[]): Promise<void> {
    this.#noteSlots(name, slots);
    return this.#journal.written();
  }

  /** Removes what is kept of a service. @throws ProcessmasterError `io` */
  remove(name: ServiceName): void {
    this.#done(name);
    this.#files.remove(name);
  }

  /** Writes what is left, if that is possible. */
  close(): void {
    this.#cancelRetry();
    this.#cancelWrite?.();
    this.#cancelWrite = null;
    this.#write();
    this.#cancelRetry();
  }

  /** A few at a time: thousands may have changed at the same minute, and others wait for the loop. */
  #writeSome(): void {
    this.#cancelWrite = null;
    if (this.#trouble !== null) return;
    this.#write([...this.#unsaved.keys()].slice(0, AT_ONCE));
    if (this.#unsaved.size > 0) this.#writeLater(0);
  }

  #writeLater(delayMs: number): void {
    this.#cancelWrite ??= this.#clock.schedule(delayMs, () => this.#writeSome());
  }

  #write(names: Iterable<ServiceName> = [...this.#unsaved.keys()]): void {
    try {
      for (const name of names) {
        this.#files.save(name, this.#unsaved.get(name));
        this.#done(name);
      }
      if (this.#trouble !== null) this.#tell(null);
    } catch (error) {
      this.#cancelRetry = this.#clock.schedule(RETRY_MS, () => this.#write());
      if (this.#trouble === null) this.#tell(troubleOf(error));
    }
  }

  /** There is nothing more to write of it. */
  #done(name: ServiceName): void {
    this.#unsaved.delete(name);
    const waiting = this.#waitingByName.get(name) ?? [];
    this.#waitingByName.delete(name);
    for (const resolve of waiting) resolve();
  }

  #tell(reason: string | null): void {
    this.#trouble = reason;
    this.#onTrouble(reason);
  }

  /** A run outlives the boot in the journal; its beginning and its end are told once. */
  #recordRun(name: ServiceName, { run, runEnd }: History): void {
    if (run === null) return;
    const told = this.#toldRuns.get(name);
    if (told?.number !== run.number) {
      this.#journal.recordRunStarted(name, run.number, run.launchedAt.wallMs, run.reason);
    }
    const isEnded = runEnd !== null;
    if (isEnded && !(told?.number === run.number && told.isEnded)) {
      this.#journal.recordRunEnded(name, run.number, runEnd.at.wallMs, runEnd.exit);
    }
    this.#toldRuns.set(name, { number: run.number, isEnded });
  }

  /** How far a job is outlives the boot; each of its runs and slots is told as it changes. */
  #recordJob(name: ServiceName, { job, run, runEnd }: History): void {
    if (job === (this.#toldJobs.get(name) ?? null)) return;
    const told = this.#toldJobs.get(name) ?? null;
    this.#toldJobs.set(name, job);
    this.#journal.saveProgress(name, job);
    if (job === null) return;
    if (job.current !== null && job.current !== told?.current) {
      this.#noteSlots(name, [job.current]);
    }
    if (job.last !== null && job.last !== told?.last) this.#noteSlots(name, [job.last]);
    if (run === null) return;
    const isOver = runEnd !== null && job.lastRun?.run === run.number;
    const slotMs = isOver ? (job.lastRun?.slotMs ?? null) : slotOf(job, run.number);
    this.#journal.recordJobRun({
      service: name,
      run: run.number,
      slotMs,
      outcome: isOver ? (job.lastRun?.outcome ?? null) : null,
      cpuMs: runEnd?.usage?.cpuMs ?? null,
      peakMemoryBytes: runEnd?.usage?.peakMemoryBytes ?? null,
    });
  }

  #noteSlots(name: ServiceName, slots: readonly SlotRecord[]): void {
    this.#journal.recordSlots(name, slots);
    this.#onSlots(name, slots);
  }

  #fresh(name: ServiceName): History {
    const kept = this.#journal.loadProgress(name);
    // Written by this program, into a file that only root may write.
    const job = isProgress(kept) ? afterBoot(kept) : null;
    return { ...EMPTY_HISTORY, lastRunNumber: this.#journal.lastRunNumber(name), job };
  }

  #accept(saved: unknown): History | null {
    if (saved === null || typeof saved !== 'object') return null;
    const { version, bootId, history } = saved as Partial<SavedHistory>;
    const isOurs = version === VERSION && bootId === this.#bootId && history !== undefined;
    // A field that an earlier build did not know has its first value.
    return isOurs ? { ...EMPTY_HISTORY, ...history } : null;
  }
}

function slotOf({ current }: JobProgress, run: number): number | null {
  return current?.run === run ? current.slotMs : null;
}

function isProgress(value: unknown): value is JobProgress {
  return typeof value === 'object' && value !== null && 'doneUntilMs' in value;
}

function troubleOf(error: unknown): string {
  return `cannot record what runs: ${messageOf(error)}; supervision goes on, but a daemon that died now would leave runs that the next one knows nothing of (free space there; it is tried again every second)`;
}
