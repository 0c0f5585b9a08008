import { writeSync } from 'node:fs';

/** Writes some bytes; gives how many. Throws what the system says. */
type WriteBytes = (bytes: Uint8Array) => number;

/**
 * Where the daemon's log goes: whole lines to standard output, as long as it takes them.
 *
 * INVARIANTS: `write` neither throws nor waits for space. pino's own destination tries a full disk
 * again and again without end, and supervision with it; here the line is lost, and counted.
 */
export class LogOutput {
  readonly #writeBytes: WriteBytes;
  #lostLines = 0;
  #isTorn = false;

  constructor(writeBytes: WriteBytes = (bytes) => writeSync(1, bytes)) {
    this.#writeBytes = writeBytes;
  }

  write(line: string): void {
    const lost = this.#lostLines;
    if (lost > 0 && !this.#put(`{"level":"warn","lines":${lost},"msg":"log lines lost"}\n`)) {
      this.#lostLines += 1;
      return;
    }
    this.#lostLines = this.#put(line) ? 0 : 1;
  }

  /** Whether all of it was written. What a line without its end is followed by begins a new one. */
  #put(line: string): boolean {
    let rest = Buffer.from(this.#isTorn ? `\n${line}` : line);
    const length = rest.length;
    try {
      while (rest.length > 0) rest = rest.subarray(this.#writeBytes(rest));
      this.#isTorn = false;
      return true;
    } catch {
      if (rest.length < length) this.#isTorn = true;
      return false;
    }
  }
}
