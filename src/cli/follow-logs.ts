import { setTimeout as delay } from 'node:timers/promises';
import { ProcessmasterError } from '../lib/errors.ts';
import type { MethodName, RequestOf, ResultOf } from '../rpc/contract.ts';
import type { LogPosition, LogSourceRow, ReadPiece } from '../rpc/log-rows.ts';
import { type Invocation, type Output, printed } from './invocation.ts';
import { LogChooser } from './log-choice.ts';
import { LogLines } from './log-lines.ts';
import { LogPrinter } from './log-printer.ts';
import type { Shown } from './show-logs.ts';

/** How often there is a look for new lines, and for files that were not there. */
const LOOK_MS = 200;
const LOOKS_PER_LIST = 10;
/** A look at a file that only its service's user may read takes a process. */
const LOOKS_PER_HINT = 5;
const RECONNECT_MS = 250;
/** Most files in one question. */
const AT_ONCE = 16;

/** Which files are followed; asked again, as services come and go. */
export type ListSources = (isFirst: boolean) => Promise<readonly LogSourceRow[]>;

interface Followed {
  readonly source: LogSourceRow;
  readonly lines: LogLines;
  readonly chooser: LogChooser;
  position: LogPosition;
  /** The problem that was told last. */
  problem: string;
}

/**
 * Prints lines as they come, until nobody reads or the user interrupts: over rotations, emptied and
 * removed files, and daemons that go away.
 * @throws ProcessmasterError what is no matter of the daemon being away
 */
export async function followLogs(
  invocation: Invocation,
  list: ListSources,
  shown: Shown,
): Promise<Output> {
  if (!(await invocation.write(''))) return printed('');
  const patient = { ...invocation, call: patientCall(invocation) };
  const followed = new Map<string, Followed>();
  const names = shown.isMerged ? 'label' : 'heading';
  const sources = await list(true);
  const printer = new LogPrinter(invocation, {
    names: sources.length > 1 ? names : 'none',
    ...shown,
  });
  for (let look = 0; ; look += 1) {
    if (look % LOOKS_PER_LIST === 0) {
      const wanted = look === 0 ? sources : await list(false);
      await adopt(patient, followed, wanted, { ...shown, isLater: look > 0 });
    }
    const isDue = ({ source }: Followed) => source.stream !== 'hint' || look % LOOKS_PER_HINT === 0;
    const looked = [...followed.values()].filter(isDue);
    const found = await readAll(patient, looked);
    const order = shown.isMerged ? found.toSorted((a, b) => a.orderMs - b.orderMs) : found;
    if (!(await printer.print(order))) return printed('');
    if (found.length === 0) await delay(LOOK_MS);
  }
}

/** Follows files that are new; one of a service that came later is read from its beginning. */
async function adopt(
  { call }: Invocation,
  followed: Map<string, Followed>,
  sources: readonly LogSourceRow[],
  shown: Shown & { readonly isLater: boolean },
): Promise<void> {
  const known = new Set<string>();
  for (const source of sources) {
    const key = `${source.application}\n${source.path}`;
    known.add(key);
    if (followed.has(key)) continue;
    const { application, path } = source;
    const lines = shown.isLater || shown.sinceMs !== null ? null : shown.lines;
    const since_ms = shown.sinceMs;
    const { position } = await call('logs.start', { application, path, lines, since_ms });
    const each = { source, position, problem: '' };
    followed.set(key, { ...each, lines: new LogLines(source), chooser: new LogChooser(shown) });
  }
  for (const key of followed.keys()) if (!known.has(key)) followed.delete(key);
}

async function readAll(invocation: Invocation, followed: readonly Followed[]) {
  const found = [];
  for (let at = 0; at < followed.length; at += AT_ONCE) {
    const some = followed.slice(at, at + AT_ONCE);
    const reads = some.map(({ source: { application, path }, position }) => {
      return { application, path, position };
    });
    const { pieces } = await invocation.call('logs.read', { reads });
    for (const [index, one] of some.entries()) {
      const piece = pieces[index];
      if (piece === undefined) continue;
      await tell(invocation, one, piece);
      one.position = piece.position;
      found.push(...one.lines.take(piece).flatMap((line) => one.chooser.choose(line)));
    }
  }
  return found.filter((line) => line !== null);
}

async function tell({ complain }: Invocation, one: Followed, piece: ReadPiece): Promise<void> {
  const { path } = one.source;
  const { gap, problem = '' } = piece;
  if (gap) await complain(`pmctl: '${path}' was emptied, replaced or removed: going on\n`);
  if (problem !== '' && problem !== one.problem) {
    await complain(`pmctl: cannot show '${path}': ${problem}\n`);
  }
  one.problem = problem;
}

/** Waits for a daemon that is away; one that has just come back may not know all services yet. */
function patientCall({ call, complain }: Invocation): Invocation['call'] {
  return async <M extends MethodName>(method: M, params: RequestOf<M>): Promise<ResultOf<M>> => {
    for (let isAway = false; ; isAway = true) {
      try {
        const answer = await call(method, params);
        if (isAway) await complain('pmctl: the daemon is back\n');
        return answer;
      } catch (error) {
        if (!(error instanceof ProcessmasterError) || error.code !== 'unreachable') throw error;
        if (!isAway) await complain('pmctl: the daemon is away, waiting for it\n');
        await delay(RECONNECT_MS);
      }
    }
  };
}
