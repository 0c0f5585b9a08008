import type { Clock } from '../lib/clock.ts';
import { isErrno } from '../lib/errors.ts';
import { type Compressed, compressNewest, RESTS_FOR_MS } from './compress-backup.ts';

export interface CompressorPorts {
  readonly clock: Clock;
  /** A backup was compressed. */
  readonly onCompressed: (path: string) => void;
  /** The backups of a file cannot be compressed. */
  readonly onFailed: (path: string, error: unknown) => void;
}

/**
 * Compresses the backups of log files in the background.
 *
 * INVARIANTS: one backup at a time, whatever there is to do; files take turns; none is tried again
 * that failed, until its file is added anew.
 */
export class Compressor {
  readonly #ports: CompressorPorts;
  readonly #skippedByPath = new Map<string, Set<string>>();
  readonly #later = new Set<string>();
  readonly #abort = new AbortController();
  #cancelLater: (() => void) | null = null;
  #isAtWork = false;

  constructor(ports: CompressorPorts) {
    this.#ports = ports;
  }

  /** The file at `path` may have backups to compress. */
  add(path: string): void {
    if (this.#later.has(path)) return;
    if (!this.#skippedByPath.has(path)) this.#skippedByPath.set(path, new Set());
    if (!this.#isAtWork) void this.#work();
  }

  /** Ends what is at work; the plain backup stays. */
  close(): void {
    this.#abort.abort();
    this.#skippedByPath.clear();
    this.#cancelLater?.();
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    for (const [path, skipped] of this.#skippedByPath) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#skippedByPath.delete(path);
      const result = await this.#compressOne(path, skipped);
      if (this.#abort.signal.aborted) break;
      // A map goes on to what is put at its end while it is walked: the others come first.
      if (result === 'done') this.#skippedByPath.set(path, skipped);
      if (result === 'later') this.#addLater(path);
    }
    this.#isAtWork = false;
  }

  #addLater(path: string): void {
    this.#later.add(path);
    this.#cancelLater ??= this.#ports.clock.schedule(RESTS_FOR_MS, () => {
      this.#cancelLater = null;
      const paths = [...this.#later];
      this.#later.clear();
      for (const path of paths) this.add(path);
    });
  }

  async #compressOne(path: string, skipped: Set<string>): Promise<Compressed> {
    try {
      const result = await compressNewest(path, skipped, this.#abort.signal);
      if (result === 'done') this.#ports.onCompressed(path);
      return result;
    } catch (error) {
      // No folder, no backups.
      if (isErrno(error, 'ENOENT') && skipped.size === 0) return 'none';
      if (!this.#abort.signal.aborted) this.#ports.onFailed(path, error);
      return 'none';
    }
  }
}
