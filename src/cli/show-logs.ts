import type { LogSourceRow } from '../rpc/log-rows.ts';
import type { Invocation, Output } from './invocation.ts';
import { isPast, type LogChoice, LogChooser } from './log-choice.ts';
import { type LogLine, LogLines } from './log-lines.ts';
import { LogPrinter, type PrintOptions } from './log-printer.ts';

export interface Shown extends LogChoice, Pick<PrintOptions, 'isRaw'> {
  /** Of each file; null is all that is chosen. */
  readonly lines: number | null;
  readonly isMerged: boolean;
}

type Chosen = LogLine | null;

/** Prints what is chosen of some logs, one after the other or by time; memory is bounded. */
export async function showLogs(
  invocation: Invocation,
  sources: readonly LogSourceRow[],
  shown: Shown,
): Promise<Output> {
  const single = sources.length > 1 ? 'heading' : 'none';
  const names = shown.isMerged && sources.length > 1 ? 'label' : single;
  const printer = new LogPrinter(invocation, { names, isRaw: shown.isRaw });
  const problems: string[] = [];
  const logs = sources.map((source) => lastOf(readLog(invocation, source, shown, problems), shown));
  for (const lines of shown.isMerged ? [merge(logs)] : logs) {
    for await (const some of lines) if (!(await printer.print(some))) return ended(problems);
  }
  if (printer.count > 0 || problems.length > 0) return ended(problems);
  const paths = sources.map(({ path }) => path).join(', ');
  return { stdout: '', stderr: `pmctl: nothing of that in ${paths}\n`, exitCode: 0 };
}

function ended(problems: readonly string[]): Output {
  const stderr = problems.map((problem) => `pmctl: ${problem}\n`).join('');
  return { stdout: '', stderr, exitCode: problems.length === 0 ? 0 : 1 };
}

/** The chosen lines of one log, in pieces; what cannot be read ends it and is a problem. */
async function* readLog(
  { call }: Invocation,
  source: LogSourceRow,
  shown: Shown,
  problems: string[],
): AsyncGenerator<readonly Chosen[]> {
  const { application, path } = source;
  const isChosenByNumber = shown.lines !== null && !isFiltered(shown);
  const start = { lines: isChosenByNumber ? shown.lines : null, since_ms: shown.sinceMs };
  const lines = new LogLines(source);
  const chooser = new LogChooser(shown);
  const begun = await call('logs.start', { application, path, ...start });
  if (begun.problem !== undefined) problems.push(`cannot show '${path}': ${begun.problem}`);
  if (begun.problem !== undefined) return;
  let { position } = begun;
  for (;;) {
    const reads = [{ application, path, position }];
    const params = { reads, until_ms: shown.untilMs, to_the_end: true };
    const [piece] = (await call('logs.read', params)).pieces;
    if (piece?.problem !== undefined) problems.push(`cannot show '${path}': ${piece.problem}`);
    if (piece === undefined || piece.problem !== undefined) return;
    const found = lines.take(piece);
    yield found.flatMap((line) => chooser.choose(line));
    if (piece.at_end || found.some((line) => isPast(shown, line))) break;
    position = piece.position;
  }
  yield lines.rest().flatMap((line) => chooser.choose(line));
}

function isFiltered({ sinceMs, untilMs, pattern }: LogChoice): boolean {
  return sinceMs !== null || untilMs !== null || pattern !== null;
}

/** The last lines of what is chosen, where a number of them was asked for. */
async function* lastOf(
  pieces: AsyncGenerator<readonly Chosen[]>,
  { lines }: Shown,
): AsyncGenerator<readonly Chosen[]> {
  if (lines === null) {
    yield* pieces;
    return;
  }
  let last: readonly Chosen[] = [];
  for await (const piece of pieces) last = [...last, ...piece].slice(-lines);
  yield last;
}

/** Lines of several logs by their time, at each moment with one piece of each. */
async function* merge(
  logs: readonly AsyncGenerator<readonly Chosen[]>[],
): AsyncGenerator<readonly Chosen[]> {
  const heads = await Promise.all(logs.map(async (log) => new Head(log).fill()));
  for (;;) {
    const left = heads.filter((head) => head.line !== null);
    const [first, ...others] = left;
    if (first === undefined) return;
    const oldest = others.reduce((a, b) => (b.orderMs < a.orderMs ? b : a), first);
    // All of it that is older than the others' next lines.
    const next = Math.min(...left.filter((head) => head !== oldest).map(({ orderMs }) => orderMs));
    yield oldest.takeUntil(next);
    await oldest.fill();
  }
}

/**
 * The next lines of one log that is merged with others.
 *
 * INVARIANTS: the `null` where lines were left out stays before the line that it precedes.
 */
class Head {
  readonly #log: AsyncGenerator<readonly Chosen[]>;
  #lines: readonly Chosen[] = [];
  #at = 0;

  constructor(log: AsyncGenerator<readonly Chosen[]>) {
    this.#log = log;
  }

  get line(): LogLine | null {
    return this.#lines[this.#at] ?? this.#lines[this.#at + 1] ?? null;
  }

  get orderMs(): number {
    return this.line?.orderMs ?? Number.POSITIVE_INFINITY;
  }

  takeUntil(orderMs: number): readonly Chosen[] {
    const from = this.#at;
    do this.#at += this.#lines[this.#at] === null ? 2 : 1;
    while (this.orderMs <= orderMs && this.line !== null);
    return this.#lines.slice(from, this.#at);
  }

  async fill(): Promise<this> {
    while (this.line === null) {
      const { value, done } = await this.#log.next();
      if (done === true) return this;
      [this.#lines, this.#at] = [value, 0];
    }
    return this;
  }
}
