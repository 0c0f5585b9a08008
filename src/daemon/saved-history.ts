import type { HistoryFiles } from '../journal/history-files.ts';
import type { Journal } from '../journal/journal.ts';
import { EMPTY_HISTORY, type History } from '../model/history.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Grows when the shape of {@link History} changes in a way that older files do not fit. */
const VERSION = 1;

interface SavedHistory {
  readonly version: number;
  readonly bootId: string;
  readonly history: History;
}

/**
 * Histories as they are kept beside the runs. Written by this program into a folder that only root
 * may enter; one of another boot or another version tells of nothing that still runs.
 */
export class SavedHistories {
  readonly #files: HistoryFiles;
  readonly #journal: Journal;
  readonly #bootId: string;
  readonly #toldRuns = new Map<
    ServiceName,
    { readonly number: number; readonly isEnded: boolean }
  >();

  constructor(files: HistoryFiles, journal: Journal, bootId: string) {
    this.#files = files;
    this.#journal = journal;
    this.#bootId = bootId;
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
    this.#files.save(name, saved);
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
