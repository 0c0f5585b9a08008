import { messageOf, ProcessmasterError } from '../../lib/errors.ts';
import type { ResultOf } from '../../rpc/contract.ts';
import type { LogSourceRow } from '../../rpc/log-rows.ts';
import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount, readSinceMs } from '../option-values.ts';
import { renderLogs } from '../render-logs.ts';
import type { Shown } from '../show-logs.ts';
import { UsageError } from '../usage-error.ts';

type Sources = ResultOf<'logs.sources'>;

/** With one of these, lines are picked here; without, the daemon's answer is all there is to say. */
const PICKING = [
  ...['follow', 'merge', 'since', 'until', 'grep', 'context', 'previous', 'stdout', 'stderr'],
  ...['json', 'raw'],
];
const LINES = 50;
const LINES_BEFORE_FOLLOWING = 10;
const MOST_CONTEXT = 1_000;

export async function run(invocation: Invocation): Promise<Output> {
  const { operands, values } = invocation;
  const name = operands[0] ?? null;
  refuse(invocation, name);
  if (name !== null && !PICKING.some((option) => values[option] !== undefined)) {
    return showTails(invocation, name);
  }
  if (values.follow === true) return follow(invocation, name);
  const previous = values.previous === true;
  const { sources, window } = await invocation.call('logs.sources', { name, previous });
  const { showLogs } = await import('../show-logs.ts');
  return showLogs(invocation, ofStreams(invocation, sources), readShown(invocation, window));
}

function refuse({ values }: Invocation, name: string | null): void {
  if (name === null && values.follow !== true) {
    throw new UsageError('logs', 'cannot show logs: <service> is missing (or -f for those of all)');
  }
  for (const option of ['previous', 'until']) {
    if (values.follow === true && values[option] !== undefined) {
      throw new UsageError('logs', `cannot use '--${option}': -f goes on with what is to come`);
    }
  }
}

async function follow(invocation: Invocation, name: string | null): Promise<Output> {
  const { followLogs } = await import('../follow-logs.ts');
  let sources: readonly LogSourceRow[] = [];
  const list = async (isFirst: boolean) => {
    try {
      const answer = await invocation.call('logs.sources', { name, or_file: true });
      sources = ofStreams(invocation, answer.sources);
    } catch (error) {
      // A daemon that is away, or has just come back, is waited for with what was known.
      const isPassing =
        error instanceof ProcessmasterError && ['unreachable', 'not_found'].includes(error.code);
      if (isFirst || !isPassing) throw error;
    }
    return sources;
  };
  return followLogs(invocation, list, readShown(invocation, null));
}

function ofStreams({ values }: Invocation, sources: readonly LogSourceRow[]) {
  const wanted = ['stdout', 'stderr'].filter((stream) => values[stream] === true);
  return wanted.length === 0 ? sources : sources.filter(({ stream }) => wanted.includes(stream));
}

function readShown({ values }: Invocation, window: Sources['window']): Shown {
  const nowMs = Date.now();
  const sinceMs = readSinceMs('logs', values.since, nowMs) ?? window?.since_ms ?? null;
  const untilMs = readSinceMs('logs', values.until, nowMs) ?? window?.until_ms ?? null;
  const pattern = readPattern(values.grep);
  const isFollowing = values.follow === true;
  const isFiltered = sinceMs !== null || untilMs !== null || pattern !== null;
  const preset = isFollowing ? LINES_BEFORE_FOLLOWING : LINES;
  const isAll = values.lines === undefined && isFiltered && !isFollowing;
  return {
    sinceMs,
    untilMs,
    pattern,
    context: readContext(values.context),
    lines: isAll ? null : readCount('logs', '-n', values.lines, preset),
    isMerged: values.merge === true,
    isRaw: values.raw === true,
  };
}

function readPattern(value: string | true | undefined): RegExp | null {
  if (value === undefined) return null;
  try {
    return new RegExp(String(value));
  } catch (error) {
    throw new UsageError('logs', `cannot use '--grep ${value}': ${messageOf(error)}`);
  }
}

function readContext(value: string | true | undefined): number {
  if (value === undefined) return 0;
  const count = /^\d{1,4}$/.test(String(value)) ? Number(value) : Number.NaN;
  if (count <= MOST_CONTEXT) return count;
  const why = `expected a whole number from 0 to ${MOST_CONTEXT}`;
  throw new UsageError('logs', `cannot use '-C ${value}': ${why}`);
}

async function showTails(invocation: Invocation, name: string): Promise<Output> {
  const { values, format, terminal, call } = invocation;
  const lines = readCount('logs', '-n', values.lines, LINES);
  const { files } = await call('logs.tail', { name, lines });
  if (format === 'json') return printed(json(files));
  const stdout = renderLogs(files, terminal);
  const problems = files.flatMap(({ path, problem }) =>
    problem === undefined ? [] : [`pmctl: cannot show '${path}': ${problem}\n`],
  );
  if (problems.length > 0) return { stdout, stderr: problems.join(''), exitCode: 1 };
  const paths = files.map(({ path }) => path).join(', ');
  return { stdout, stderr: stdout === '' ? `pmctl: nothing yet in ${paths}\n` : '', exitCode: 0 };
}
