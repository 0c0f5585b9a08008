import { stampOfLine } from '../lib/line-stamp.ts';
import type { LogSourceRow, ReadPiece } from '../rpc/log-rows.ts';

/** One line of a log. */
export interface LogLine {
  readonly source: LogSourceRow;
  readonly text: string;
  /** The time that it begins with, or a line before it did; null without one. */
  readonly atMs: number | null;
  /** Where it belongs among lines of other files: else when its file was last written to. */
  readonly orderMs: number;
}

/** As much of one line is shown; the rest is counted. */
const MOST_LINE = 64 * 1024;

/** Makes lines of the pieces of one log; memory is bounded, however long a line is. */
export class LogLines {
  readonly #source: LogSourceRow;
  #begun = '';
  #cut = 0;
  #atMs: number | null = null;
  #orderMs = 0;

  constructor(source: LogSourceRow) {
    this.#source = source;
  }

  /** The lines that a piece ends. */
  take({ text, modified_ms }: Pick<ReadPiece, 'text' | 'modified_ms'>): readonly LogLine[] {
    this.#orderMs = modified_ms ?? this.#orderMs;
    const parts = text.split('\n');
    const last = parts.pop() ?? '';
    const lines = parts.map((part) => {
      this.#add(part);
      return this.#end();
    });
    this.#add(last);
    return lines;
  }

  /** What came without a newline at its end. */
  rest(): readonly LogLine[] {
    return this.#begun === '' ? [] : [this.#end()];
  }

  #add(part: string): void {
    const room = MOST_LINE - this.#begun.length;
    this.#begun += part.slice(0, room);
    this.#cut += Math.max(part.length - room, 0);
  }

  #end(): LogLine {
    const text = this.#cut === 0 ? this.#begun : `${this.#begun} [… ${this.#cut} characters more]`;
    [this.#begun, this.#cut] = ['', 0];
    this.#atMs = stampOfLine(text) ?? this.#atMs;
    return { source: this.#source, text, atMs: this.#atMs, orderMs: this.#atMs ?? this.#orderMs };
  }
}
