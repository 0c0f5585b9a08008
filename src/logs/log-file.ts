import { closeSync, fstatSync, statSync, writeSync } from 'node:fs';
import { openForAppend } from '../host/safe-open.ts';
import { type Rotated, rotateFile } from './backups.ts';

/** How much was written, and why not all of it (null: all was). */
export interface Written {
  readonly bytes: number;
  readonly failure: unknown;
}

const LOG_FILE_MODE = 0o640;
const NEWLINE = 0x0a;

/**
 * A file that is appended to, at its path.
 *
 * INVARIANTS: what is open is what was safely opened at the path; nothing is buffered.
 */
export class LogFile {
  readonly path: string;
  #fd: number | null = null;
  #device = 0;
  #inode = 0;
  #bytes = 0;
  #endsMidLine = false;

  constructor(path: string) {
    this.path = path;
  }

  get isOpen(): boolean {
    return this.#fd !== null;
  }

  /** As far as we know: see {@link measure}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the file ends (as far as we wrote it) in the middle of a line. */
  get endsMidLine(): boolean {
    return this.#endsMidLine;
  }

  /**
   * Opens the file unless it is open. Gives when what was there already was last written to; null
   * when nothing was, or it is open. @throws ProcessmasterError see openForAppend
   */
  open(): number | null {
    if (this.#fd !== null) return null;
    const fd = openForAppend(this.path, { mode: LOG_FILE_MODE, createDirectories: true });
    const opened = fstatSync(fd);
    this.#fd = fd;
    this.#device = opened.dev;
    this.#inode = opened.ino;
    this.#bytes = opened.size;
    return opened.size > 0 ? opened.mtimeMs : null;
  }

  /** Lets go of a file that was removed or replaced at its path: the next one is another. */
  closeIfReplaced(): void {
    // Only a hint, so links are followed as they come: what is opened then is opened safely.
    const there = statSync(this.path, { throwIfNoEntry: false });
    if (there?.ino === this.#inode && there.dev === this.#device) return;
    this.close();
    this.#endsMidLine = false;
  }

  /** Appends; the file is open. write(2) may take less than it is given. */
  append(bytes: Uint8Array): Written {
    const fd = this.#fd;
    if (fd === null) return { bytes: 0, failure: new Error('the file is not open') };
    let written = 0;
    let failure: unknown = null;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
    } catch (error) {
      failure = error;
    }
    this.#bytes += written;
    const last = bytes[written - 1];
    if (last !== undefined) this.#endsMidLine = last !== NEWLINE;
    return { bytes: written, failure };
  }

  /** Reads the size again: somebody may have emptied the file in place. */
  measure(): number {
    if (this.#fd !== null) this.#bytes = fstatSync(this.#fd).size;
    return this.#bytes;
  }

  /**
   * Puts the file aside as the newest of at most `keep` backups; the next one is made when it is
   * opened. @throws ProcessmasterError when that cannot be; then it stays as it was.
   */
  rotate(keep: number): Rotated {
    const rotated = rotateFile(this.path, { device: this.#device, inode: this.#inode }, keep);
    // Not done: another file is there, which is opened then.
    this.close();
    return rotated;
  }

  close(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    this.#bytes = 0;
  }
}
