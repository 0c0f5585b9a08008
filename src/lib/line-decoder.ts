const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Lines that are complete, and whether one grew beyond the limit. */
export interface DecodedLines {
  readonly lines: readonly Buffer[];
  readonly tooLong: boolean;
}

/**
 * Cuts a byte stream into lines, also where a chunk ends within a character.
 *
 * INVARIANTS: never holds more than `limitBytes` of a line; after a line that is too long nothing
 * is decoded any more.
 */
export class LineDecoder {
  readonly #limitBytes: number;
  #parts: Buffer[] = [];
  #heldBytes = 0;
  #tooLong = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Lines (without their `\n` or `\r\n`) that this chunk completes. */
  push(chunk: Buffer): DecodedLines {
    const lines: Buffer[] = [];
    let from = 0;
    while (!this.#tooLong) {
      const end = chunk.indexOf(NEWLINE, from);
      this.#hold(chunk.subarray(from, end === -1 ? chunk.length : end));
      if (end === -1 || this.#tooLong) break;
      lines.push(this.#take());
      from = end + 1;
    }
    return { lines, tooLong: this.#tooLong };
  }

  #hold(part: Buffer): void {
    this.#heldBytes += part.length;
    this.#tooLong = this.#heldBytes > this.#limitBytes;
    if (this.#tooLong) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #take(): Buffer {
    const line = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#heldBytes = 0;
    if (line === undefined) return Buffer.alloc(0);
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  }
}
