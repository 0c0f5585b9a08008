import type { LogLine } from './log-lines.ts';

/** Which lines are wanted. */
export interface LogChoice {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly pattern: RegExp | null;
  /** How many lines around one that matches are shown, too. */
  readonly context: number;
}

/** Somewhat out of order are lines where the clock was set. */
const DISORDER_MS = 60_000;

/** Whether the line, and with it all after it, is too late. Pure. */
export function isPast({ untilMs }: LogChoice, { atMs }: LogLine): boolean {
  return untilMs !== null && atMs !== null && atMs > untilMs + DISORDER_MS;
}

/** Chooses lines of one log as they come; `null` is where lines were left out between others. */
export class LogChooser {
  readonly #choice: LogChoice;
  readonly #before: LogLine[] = [];
  #after = 0;
  #isFirst = true;
  #hasLeftOut = false;

  constructor(choice: LogChoice) {
    this.#choice = choice;
  }

  choose(line: LogLine): readonly (LogLine | null)[] {
    if (!this.#isInTime(line)) return [];
    const { pattern, context } = this.#choice;
    if (pattern === null) return [line];
    if (pattern.test(line.text)) return this.#matched(line);
    if (this.#after > 0) {
      this.#after -= 1;
      return [line];
    }
    this.#before.push(line);
    if (this.#before.length > context) {
      this.#before.shift();
      this.#hasLeftOut = true;
    }
    return [];
  }

  #matched(line: LogLine): readonly (LogLine | null)[] {
    const { context } = this.#choice;
    const isApart = context > 0 && this.#hasLeftOut && !this.#isFirst;
    const shown = [...(isApart ? [null] : []), ...this.#before, line];
    this.#before.length = 0;
    [this.#after, this.#isFirst, this.#hasLeftOut] = [context, false, false];
    return shown;
  }

  /** A line whose time is not known is in a file that the time is in. */
  #isInTime({ atMs }: LogLine): boolean {
    const { sinceMs, untilMs } = this.#choice;
    if (atMs === null) return true;
    return (sinceMs === null || atMs >= sinceMs) && (untilMs === null || atMs <= untilMs);
  }
}
