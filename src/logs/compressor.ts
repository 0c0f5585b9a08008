import { isErrno } from '../lib/errors.ts';
import { compressNewest } from './compress-backup.ts';

export interface CompressorPorts {
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
  readonly #abort = new AbortController();
  #isAtWork = false;

  constructor(ports: CompressorPorts) {
    this.#ports = ports;
  }

  /** The file at `path` may have backups to compress. */
  add(path: string): void {
    if (!this.#skippedByPath.has(path)) this.#skippedByPath.set(path, new Set());
    if (!this.#isAtWork) void this.#work();
  }

  /** Ends what is at work; the plain backup stays. */
  close(): void {
    this.#abort.abort();
    this.#skippedByPath.clear();
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    for (const [path, skipped] of this.#skippedByPath) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#skippedByPath.delete(path);
      const again = await this.#compressOne(path, skipped);
      // A map goes on to what is put at its end while it is walked: the others come first.
      if (again && !this.#abort.signal.aborted) this.#skippedByPath.set(path, skipped);
    }
    this.#isAtWork = false;
  }

  /** Gives whether there may be more to do. */
  async #compressOne(path: string, skipped: Set<string>): Promise<boolean> {
    try {
      if (!(await compressNewest(path, skipped, this.#abort.signal))) return false;
      this.#ports.onCompressed(path);
      return true;
    } catch (error) {
      // No folder, no backups.
      if (isErrno(error, 'ENOENT') && skipped.size === 0) return false;
      if (!this.#abort.signal.aborted) this.#ports.onFailed(path, error);
      return false;
    }
  }
}
