import { closeSync, openSync, readSync } from 'node:fs';
import { isErrno } from '../lib/errors.ts';

/** io.stat has a line for each disk, memory.stat sixty; what is longer is cut. */
const MAX_BYTES = 16_384;
const buffer = Buffer.allocUnsafeSlow(MAX_BYTES);

/**
 * A file of the kernel's that is read again and again: its descriptor is kept, which makes a read three
 * times cheaper, and holds some KiB of kernel memory until it is closed. A read from the beginning
 * makes its content anew (cgroup-v2.rst, procfs).
 */
export class KernelFile {
  readonly #path: string;
  #fd: number | null = null;
  #isMissing = false;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What it says now; `null` where there is no such file (looked for once until it is closed), and when
   * what it tells of is gone or cannot be told now. Does not throw.
   */
  read(): string | null {
    if (this.#isMissing) return null;
    try {
      this.#fd ??= openSync(this.#path, 'r');
      const bytes = readSync(this.#fd, buffer, 0, MAX_BYTES, 0);
      return buffer.toString('latin1', 0, bytes);
    } catch (error) {
      this.close();
      this.#isMissing = isErrno(error, 'ENOENT');
      return null;
    }
  }

  /** Lets go of the descriptor; the next reading opens it again. */
  letGo(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  close(): void {
    this.letGo();
    this.#isMissing = false;
  }
}
