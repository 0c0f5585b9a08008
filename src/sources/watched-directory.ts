import type { Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type ChokidarOptions, type FSWatcher, watch } from 'chokidar';
import { whyNotWatched } from '../host/inotify-limits.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { statIfThere } from './settled-files.ts';

/** While not all can be watched, this is how often another try is made. */
const RETRY_MS = 5_000;

/** A folder that never comes to rest is reported all the same, after this many settle times. */
const MAX_SETTLES = 5;

export interface WatchOptions {
  /** Quiet time that a change needs before it is reported. */
  readonly settleMs: number;
  /** 0: the folder itself; 1: its child folders too, but hidden ones. */
  readonly depth: 0 | 1;
  /** Which file names matter; folders always do. */
  readonly concerns: (fileName: string) => boolean;
  /** Something may have changed: read the folder. Also called once the watch stands, or stands again. */
  readonly onSettled: () => void;
  /**
   * Why some changes are not seen, once for each reason; null when all are again. What happened
   * meanwhile is found by the `onSettled` that follows.
   */
  readonly onDegraded: (reason: string | null) => void;
  readonly clock?: Clock;
  readonly retryMs?: number;
}

export interface DirectoryWatch {
  /** Makes sure that what is watched is what is there: signals may have been lost. */
  check(): void;
  close(): Promise<void>;
}

/**
 * Says when to look at a folder; never what is in it. Signals are for speed only: one may be lost
 * (inotify watches exhausted, its queue full, a filesystem that has none), so the caller rescans now
 * and then anyway.
 */
export function watchDirectory(path: string, options: WatchOptions): DirectoryWatch {
  return new WatchedDirectory(path, options);
}

/** Only what the kernel says counts; what it means is found by reading. */
const PLAIN: ChokidarOptions = { ignoreInitial: true, atomic: false };

/**
 * Watched are the folder and the one above it: a link in place of the folder, or one that leads
 * elsewhere by now, is a change up there.
 *
 * INVARIANTS: at most one timer of each kind is armed, and none while nothing happens; what can be
 * watched is, whatever else cannot.
 */
class WatchedDirectory implements DirectoryWatch {
  readonly #path: string;
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  #watchers: readonly FSWatcher[] = [];
  /** Of the folder that is watched; another one there has to be watched anew. */
  #identity: string | null = null;
  #degradedBecause: string | null = null;
  #firstSignalAtMs: number | null = null;
  #cancelSettling = () => {};
  #cancelRetry = () => {};
  #closings: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(path: string, options: WatchOptions) {
    this.#path = path;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#open();
  }

  check(): void {
    if (!this.#isClosed && identityOf(this.#path) !== this.#identity) this.#open();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelSettling();
    this.#cancelRetry();
    this.#replace([]);
    await this.#closings;
  }

  #open(): void {
    const isRetry = this.#degradedBecause !== null;
    this.#identity = identityOf(this.#path);
    const watchers = [this.#watchFolder(), this.#watchAbove()];
    this.#replace(watchers);
    let failure: string | null = null;
    let unready = watchers.length;
    for (const watcher of watchers) {
      watcher.on('error', (error) => {
        failure = whyNotWatched(error);
        if (watchers === this.#watchers) this.#note(failure);
      });
      watcher.on('ready', () => {
        unready -= 1;
        if (unready > 0 || watchers !== this.#watchers) return;
        this.#note(failure);
        // What happened before somebody watched is found by looking.
        if (failure === null || !isRetry) this.#options.onSettled();
      });
    }
  }

  #watchFolder(): FSWatcher {
    const { depth, concerns } = this.#options;
    const ignored = (entry: string, stats?: Stats) => {
      if (entry === this.#path) return false;
      const name = basename(entry);
      if (stats?.isFile() === true) return !concerns(name);
      return dirname(entry) === this.#path && name.startsWith('.');
    };
    const watcher = watch(this.#path, { ...PLAIN, depth, ignored });
    watcher.on('all', () => this.#signal());
    // A change of rights alone (chmod +x run.sh) is no event of its own.
    watcher.on('raw', (_event, name) => {
      if (name === null || concerns(basename(name))) this.#signal();
    });
    return watcher;
  }

  #watchAbove(): FSWatcher {
    const above = dirname(this.#path);
    const ignored = (entry: string) => entry !== above;
    const watcher = watch(above, { ...PLAIN, depth: 0, ignored });
    watcher.on('raw', (_event, name) => {
      if (name === null || name === basename(this.#path)) this.#signal();
    });
    return watcher;
  }

  #replace(watchers: readonly FSWatcher[]): void {
    const closings = this.#watchers.map((watcher) => watcher.close());
    this.#watchers = watchers;
    this.#closings = Promise.all([this.#closings, ...closings]);
  }

  #signal(): void {
    if (this.#isClosed) return;
    const nowMs = this.#clock.monotonicMs();
    this.#firstSignalAtMs ??= nowMs;
    const latestMs = this.#firstSignalAtMs + MAX_SETTLES * this.#options.settleMs;
    this.#cancelSettling();
    const delayMs = Math.max(0, Math.min(this.#options.settleMs, latestMs - nowMs));
    this.#cancelSettling = this.#clock.schedule(delayMs, () => {
      this.#firstSignalAtMs = null;
      this.check();
      this.#options.onSettled();
    });
  }

  /** `reason`: why not all is watched; null when all is. */
  #note(reason: string | null): void {
    this.#cancelRetry();
    if (reason !== null) {
      const retryMs = this.#options.retryMs ?? RETRY_MS;
      this.#cancelRetry = this.#clock.schedule(retryMs, () => this.#open());
    }
    const text =
      reason && `cannot watch '${this.#path}': ${reason}; changes are found once a minute`;
    if (text === this.#degradedBecause) return;
    this.#degradedBecause = text;
    this.#options.onDegraded(text);
  }
}

/** Of what is at a path, links followed; `null` where nothing can be found out. */
function identityOf(path: string): string | null {
  try {
    const stats = statIfThere(path);
    return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
  } catch {
    return null;
  }
}
