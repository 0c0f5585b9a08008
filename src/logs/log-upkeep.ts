import { isDeepStrictEqual } from 'node:util';
import { inFolderOf } from '../host/safe-folder.ts';
import type { Clock } from '../lib/clock.ts';
import { isErrno, messageOf } from '../lib/errors.ts';
import type { LogSettings } from '../model/service-spec.ts';
import { removeBackupOf, survey } from './backups.ts';
import { Compressor } from './compressor.ts';
import { excessOf, type LogUsage } from './log-usage.ts';

export interface LogUpkeepPorts {
  readonly clock: Clock;
  readonly onTrouble: (service: string, message: string) => void;
  /** The size of a file that is being written; null when it is not. */
  readonly liveBytes: (path: string) => number | null;
  /** Once in a while, where files are put aside by the clock. */
  readonly rotateWhenDue: () => void;
}

/** What is known of one file, written at the moment or not. */
interface KeptFile {
  readonly service: string;
  readonly settings: LogSettings;
  /** Where a budget binds it; null: not known (yet). */
  usage: LogUsage | null;
  nextAgeLookMs: number;
  lastTrouble: string;
}

/** How soon what an earlier keeper left unfinished is looked for; starting services goes first. */
const TIDY_AFTER_MS = 5_000;
const SWEEP_MS = 30_000;
const AGE_LOOK_MS = 10 * 60_000;
/** Services that are no more are remembered for the sake of the budget, but not without end. */
const MOST_FILES = 20_000;

/**
 * What happens to log files after they were put aside: they are compressed, and removed when they
 * are too old or too much.
 *
 * INVARIANTS: only numbered backups are removed, the oldest first; no method throws; with nothing to
 * rotate by the clock and no bounds there is no timer.
 */
export class LogUpkeep {
  readonly #ports: LogUpkeepPorts;
  readonly #files = new Map<string, KeptFile>();
  /** Those of them that the clock has a say in. */
  readonly #swept = new Set<string>();
  readonly #untidy = new Set<string>();
  readonly #compressor: Compressor;
  #maxTotalBytes: number | null = null;
  #isClosed = false;
  #cancelSweep: (() => void) | null = null;
  #cancelTidy: (() => void) | null = null;

  constructor(ports: LogUpkeepPorts) {
    this.#ports = ports;
    this.#compressor = new Compressor({
      clock: ports.clock,
      onCompressed: (path) => this.#changed(path),
      onFailed: (path, error) => this.#tell(path, `cannot compress a backup of '${path}'`, error),
    });
  }

  /** What the files of all services may take together; infinite without a bound. */
  get budgetBytes(): number {
    return this.#maxTotalBytes ?? Number.POSITIVE_INFINITY;
  }

  setBudget(maxTotalBytes: number | null): void {
    if (this.#maxTotalBytes === maxTotalBytes) return;
    this.#maxTotalBytes = maxTotalBytes;
    for (const path of this.#files.keys()) this.#untidy.add(path);
    this.#tidyLater();
  }

  /** These are the files of a service and how they are kept, from now on. */
  keep(service: string, paths: readonly string[], settings: LogSettings): void {
    for (const path of new Set(paths)) {
      const known = this.#files.get(path);
      // A job begins every minute; what an earlier keeper left is looked for only once.
      const isKnown = known?.service === service && isDeepStrictEqual(known.settings, settings);
      const fresh = { service, settings, usage: null, nextAgeLookMs: 0, lastTrouble: '' };
      // Put at the end: the ones in use are remembered longest.
      this.#forget(path);
      this.#files.set(path, isKnown ? known : fresh);
      if (isSwept(settings)) this.#swept.add(path);
      if (!isKnown) this.#untidy.add(path);
    }
    for (const path of this.#files.keys()) {
      if (this.#files.size <= MOST_FILES) break;
      this.#forget(path);
    }
    this.#tidyLater();
  }

  /** A file has a new backup. */
  rotated(path: string): void {
    this.#changed(path);
    if (this.#files.get(path)?.settings.rotation.compress === true) this.#compressor.add(path);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelSweep?.();
    this.#cancelTidy?.();
    this.#untidy.clear();
    this.#compressor.close();
    this.#files.clear();
    this.#swept.clear();
  }

  #forget(path: string): void {
    this.#files.delete(path);
    this.#swept.delete(path);
  }

  #tidyLater(): void {
    if (this.#untidy.size > 0) {
      this.#cancelTidy ??= this.#ports.clock.schedule(TIDY_AFTER_MS, () => void this.#tidy());
    }
    this.#arm();
  }

  /** One after the other: with thousands of services this takes a while, and nobody waits for it. */
  async #tidy(): Promise<void> {
    for (const path of this.#untidy) {
      this.#untidy.delete(path);
      this.rotated(path);
      await turnOfLoop();
    }
    this.#cancelTidy = null;
  }

  #changed(path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#removeAged(path, file);
    this.#count(path, file);
    this.#enforceService(file);
    this.#enforceTotal();
  }

  /** Looks at what a file takes, where a budget wants to know. */
  #count(path: string, file: KeptFile): void {
    const isBound = this.#maxTotalBytes !== null || file.settings.maxTotalBytes !== null;
    file.usage = isBound ? this.#look(path) : null;
  }

  #enforceService({ service, settings }: KeptFile): void {
    if (settings.maxTotalBytes === null) return;
    const own = [...this.#files].filter(([, file]) => file.service === service);
    for (const [path, file] of own) file.usage ??= this.#look(path);
    this.#enforce(own, settings.maxTotalBytes);
  }

  #enforceTotal(): void {
    if (this.#maxTotalBytes !== null) this.#enforce([...this.#files], this.#maxTotalBytes);
  }

  #enforce(files: readonly (readonly [string, KeptFile])[], maxBytes: number): void {
    const usages = files.flatMap(([path, { usage }]) => {
      if (usage === null) return [];
      return [{ ...usage, liveBytes: this.#ports.liveBytes(path) ?? usage.liveBytes }];
    });
    for (const { path, backup } of excessOf(usages, maxBytes)) {
      this.#attempt(path, 'cannot remove a backup', () => removeBackupOf(path, backup));
      const file = this.#files.get(path);
      if (file !== undefined) this.#count(path, file);
    }
  }

  #look(path: string): LogUsage {
    const found = this.#attempt(path, 'cannot look for backups', () =>
      inFolderOf(path, (folder, name) => ({
        liveBytes: folder.stat(name)?.size ?? 0,
        backups: survey(folder, name).backups,
      })),
    );
    return { path, liveBytes: 0, backups: [], ...found };
  }

  #removeAged(path: string, file: KeptFile): void {
    const { maxAgeMs } = file.settings.rotation;
    if (maxAgeMs === null) return;
    file.nextAgeLookMs = this.#ports.clock.monotonicMs() + Math.min(maxAgeMs, AGE_LOOK_MS);
    const oldestMs = this.#ports.clock.wallMs() - maxAgeMs;
    const { backups } = this.#look(path);
    for (const backup of backups.filter(({ modifiedAtMs }) => modifiedAtMs < oldestMs)) {
      this.#attempt(path, 'cannot remove a backup', () => removeBackupOf(path, backup));
    }
  }

  #arm(): void {
    const isNeeded = this.#maxTotalBytes !== null || this.#swept.size > 0;
    if (this.#isClosed || this.#cancelSweep !== null || !isNeeded) return;
    this.#cancelSweep = this.#ports.clock.schedule(SWEEP_MS, () => {
      void this.#sweep().then(() => {
        this.#cancelSweep = null;
        this.#arm();
      });
    });
  }

  async #sweep(): Promise<void> {
    this.#ports.rotateWhenDue();
    const now = this.#ports.clock.monotonicMs();
    for (const [path, file] of this.#files) {
      if (file.settings.rotation.maxAgeMs === null || now < file.nextAgeLookMs) continue;
      this.#changed(path);
      await turnOfLoop();
    }
    this.#enforceTotal();
  }

  /** Undefined when it failed, which is told. A folder that is not there holds no backups. */
  #attempt<T>(path: string, cannot: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) this.#tell(path, cannot, error);
      return undefined;
    }
  }

  #tell(path: string, cannot: string, error: unknown): void {
    const file = this.#files.get(path);
    const message = `${cannot}: ${messageOf(error)}`;
    if (file === undefined || file.lastTrouble === message) return;
    file.lastTrouble = message;
    this.#ports.onTrouble(file.service, message);
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isSwept({ rotation }: LogSettings): boolean {
  return rotation.mode === 'time' || rotation.maxAgeMs !== null;
}
