import { basename } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { type Clock, systemClock } from '../lib/clock.ts';
import { isErrno, messageOf } from '../lib/errors.ts';
import { statIfThere } from './settled-files.ts';

/** While a folder cannot be watched, this is how often another try is made. */
const RETRY_MS = 5_000;

/** A folder that never comes to rest is reported all the same, after this many settle times. */
const MAX_SETTLES = 5;

export interface WatchOptions {
  /** Quiet time that a change needs before it is reported. */
  readonly settleMs: number;
  /** 0: the folder itself; 1: its child folders too. */
  readonly depth: 0 | 1;
  /** Which file names matter; folders always do. */
  readonly concerns: (fileName: string) => boolean;
  /** Something may have changed: read the folder. Also called once the watch stands, or stands again. */
  readonly onSettled: () => void;
  /** Changes are not seen any more (until the next `onSettled`); called once for each reason. */
  readonly onDegraded: (reason: string) => void;
  readonly clock?: Clock;
  readonly retryMs?: number;
}

/**
 * Says when to look at a folder; never what is in it. Signals are for speed only: one may be lost
 * (inotify watches exhausted, the folder replaced), so the caller rescans now and then anyway.
 */
export function watchDirectory(path: string, options: WatchOptions): { close(): Promise<void> } {
  const watched = new WatchedDirectory(path, options);
  watched.open();
  return { close: () => watched.close() };
}

/** INVARIANTS: at most one timer of each kind is armed, and none while nothing happens. */
class WatchedDirectory {
  readonly #path: string;
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  #watcher: FSWatcher | null = null;
  /** Of the folder that the watcher was opened on; another one there has to be watched anew. */
  #inode: bigint | undefined;
  #degradedBecause: string | null = null;
  #firstSignalAtMs: number | null = null;
  #cancelSettling = () => {};
  #cancelRetry = () => {};
  #isClosed = false;

  constructor(path: string, options: WatchOptions) {
    this.#path = path;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  open(): void {
    this.#inode = inodeOf(this.#path);
    if (this.#inode === undefined) {
      this.#degrade('there is no such folder');
      return;
    }
    const watcher = watch(this.#path, {
      ignoreInitial: true,
      depth: this.#options.depth,
      atomic: false,
      // Files that do not matter are not even remembered.
      ignored: (entry, stats) =>
        stats?.isFile() === true && !this.#options.concerns(basename(entry)),
    });
    this.#watcher = watcher;
    watcher.on('all', () => this.#signal(watcher));
    // A change of rights alone (chmod +x run.sh) is no event of its own.
    watcher.on('raw', (_event, name) => {
      if (name !== null && this.#options.concerns(basename(name))) this.#signal(watcher);
    });
    watcher.on('ready', () => this.#ready(watcher));
    watcher.on('error', (error) => {
      if (watcher === this.#watcher) this.#degrade(whyNot(error));
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelSettling();
    this.#cancelRetry();
    await this.#dropWatcher();
  }

  #ready(watcher: FSWatcher): void {
    if (watcher !== this.#watcher) return;
    this.#degradedBecause = null;
    // What happened before somebody watched is found by looking.
    this.#options.onSettled();
  }

  #signal(watcher: FSWatcher): void {
    if (this.#isClosed || watcher !== this.#watcher) return;
    const nowMs = this.#clock.monotonicMs();
    this.#firstSignalAtMs ??= nowMs;
    const latestMs = this.#firstSignalAtMs + MAX_SETTLES * this.#options.settleMs;
    this.#cancelSettling();
    const delayMs = Math.max(0, Math.min(this.#options.settleMs, latestMs - nowMs));
    this.#cancelSettling = this.#clock.schedule(delayMs, () => this.#settle());
  }

  #settle(): void {
    this.#firstSignalAtMs = null;
    const inode = inodeOf(this.#path);
    if (inode === undefined) this.#degrade('the folder is gone');
    else if (inode !== this.#inode) this.#reopen();
    this.#options.onSettled();
  }

  #degrade(reason: string): void {
    if (this.#isClosed) return;
    void this.#dropWatcher();
    const text = `cannot watch '${this.#path}': ${reason}; changes are found by rescans`;
    if (text !== this.#degradedBecause) this.#options.onDegraded(text);
    this.#degradedBecause = text;
    this.#cancelRetry();
    this.#cancelRetry = this.#clock.schedule(this.#options.retryMs ?? RETRY_MS, () => this.open());
  }

  #reopen(): void {
    void this.#dropWatcher();
    this.open();
  }

  async #dropWatcher(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = null;
    await watcher?.close();
  }
}

/** inotify(7) says ENOSPC for the limit of watches and EMFILE for that of instances. */
function whyNot(error: unknown): string {
  if (!isErrno(error, 'ENOSPC', 'EMFILE')) return messageOf(error);
  const limit = isErrno(error, 'ENOSPC') ? 'watches' : 'instances';
  return `no inotify ${limit} are left (raise fs.inotify.max_user_${limit})`;
}

function inodeOf(path: string): bigint | undefined {
  try {
    const stats = statIfThere(path);
    return stats?.isDirectory() === true ? stats.ino : undefined;
  } catch {
    return undefined;
  }
}
