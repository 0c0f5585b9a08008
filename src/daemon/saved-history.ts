import type { HistoryFiles } from '../journal/history-files.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { EMPTY_HISTORY, type History } from '../model/history.ts';
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
  /** What is kept beside the runs cannot be written (why), or is written again (`null`). */
  readonly onTrouble: (reason: string | null) => void;
}

/** How long files that could not be written are left alone. */
const RETRY_MS = 1_000;

/**
 * Histories as they are kept beside the runs. Written by this program into a folder that only root
 * may enter; one of another boot or another version tells of nothing that still runs.
 *
 * INVARIANTS: `save` does not throw, supervision goes on from what is in memory; what could not be
 * written is written as soon as it can be, the newest of each service.
 */
export class SavedHistories {
  readonly #files: HistoryFiles;
  readonly #journal: Journal;
  readonly #bootId: string;
  readonly #clock: Clock;
  readonly #onTrouble: (reason: string | null) => void;
  readonly #toldRuns = new Map<
    ServiceName,
    { readonly number: number; readonly isEnded: boolean }
  >();
  readonly #unsaved = new Map<ServiceName, SavedHistory>();
  #trouble: string | null = null;
  #cancelRetry: () => void = () => {};

  constructor({ files, journal, bootId, clock, onTrouble }: SavedHistoriesParts) {
    this.#files = files;
    this.#journal = journal;
    this.#bootId = bootId;
    this.#clock = clock;
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
    const saved: SavedHistory = { version: VERSION, bootId: this.#bootId, history };
    this.#unsaved.set(name, saved);
    // While the disk is full, not every change of every service is worth a try.
    if (this.#trouble === null) this.#write();
  }

  /** Removes what is kept of a service. @throws ProcessmasterError `io` */
  remove(name: ServiceName): void {
    this.#unsaved.delete(name);
    this.#files.remove(name);
  }

  /** Writes what is left, if that is possible. */
  close(): void {
    this.#cancelRetry();
    this.#write();
    this.#cancelRetry();
  }

  #write(): void {
    try {
      for (const [name, saved] of this.#unsaved) {
        this.#files.save(name, saved);
        this.#unsaved.delete(name);
      }
      if (this.#trouble !== null) this.#tell(null);
    } catch (error) {
      this.#cancelRetry = this.#clock.schedule(RETRY_MS, () => this.#write());
      if (this.#trouble === null) this.#tell(troubleOf(error));
    }
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

  #fresh(name: ServiceName): History {
    return { ...EMPTY_HISTORY, lastRunNumber: this.#journal.lastRunNumber(name) };
  }

  #accept(saved: unknown): History | null {
    if (saved === null || typeof saved !== 'object') return null;
    const { version, bootId, history } = saved as Partial<SavedHistory>;
    return version === VERSION && bootId === this.#bootId && history !== undefined ? history : null;
  }
}

function troubleOf(error: unknown): string {
  return `cannot record what runs: ${messageOf(error)}; supervision goes on, but a daemon that died now would leave runs that the next one knows nothing of (free space there; it is tried again every second)`;
}
