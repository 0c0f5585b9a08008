import { formatProblem } from '../model/desired.ts';
import { describeContentChange } from '../model/environment-reading.ts';
import type { ResultOf } from '../rpc/contract.ts';
import { oneLine } from './text.ts';

type Report = ResultOf<'sources.update'>;

/** What changed, one line a kind of change. */
export function renderUpdate({ accepted, changed, removed, contents }: Report): string {
  const lines = [
    line('new', accepted),
    line('changed', changed),
    line('removed', removed),
    ...contents.map(contentLine),
  ];
  const text = lines.join('');
  return text === '' ? 'nothing changed\n' : text;
}

/** What is wrong, for stderr: nothing of it is in force. */
export function renderTroubles({
  problems,
  conflicts,
  brakes,
}: Pick<Report, 'problems' | 'conflicts' | 'brakes'>): string {
  const lines = [
    ...problems.map(({ key_path, ...problem }) => formatProblem({ ...problem, keyPath: key_path })),
    ...conflicts.map(
      ({ name, files }) => `'${name}' is defined more than once: ${files.join(', ')} (keep one)`,
    ),
    ...brakes.map(({ reason, held }) =>
      held.length === 0
        ? reason
        : `${reason}; still defined: ${held.join(', ')} (pmctl update --prune stops them)`,
    ),
  ];
  return lines.map((text) => `pmctl: ${oneLine(text)}\n`).join('');
}

/** 1 when something is held back or defined twice, 9 when a definition is invalid, else 0. */
export function exitCodeOfUpdate({ problems, conflicts, brakes }: Report): number {
  if (conflicts.length > 0 || brakes.some(({ held }) => held.length > 0)) return 1;
  return problems.length > 0 ? 9 : 0;
}

function contentLine({ name, sources }: Report['contents'][number]): string {
  return `${oneLine(`${name}: ${sources.map(describeContentChange).join('; ')}`)}\n`;
}

function line(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${what}: ${names.join(', ')}\n`;
}
