import { basename } from 'node:path';
import type { ResultOf } from '../rpc/contract.ts';
import type { Terminal } from './invocation.ts';
import { type Colour, oneLine, paint } from './text.ts';

type Diff = ResultOf<'sources.diff'>;
type Change = Diff['changes'][number];
type Field = Change['fields'][number];
type Kind = Change['kind'];

const COLOURS: { readonly [K in Kind]: Colour } = {
  start: 'green',
  restart: 'yellow',
  live: 'dim',
  stop: 'red',
  remove: 'red',
};

/** In the order of what they cost; that of the summary. */
const KINDS = ['remove', 'stop', 'restart', 'live', 'start'] as const satisfies readonly Kind[];

/** One block a service that would change, then how many of each kind. Pure. */
export function renderDiff(diff: Diff, terminal: Terminal): string {
  const blocks = diff.changes.map((change) => renderChange(change, terminal));
  return [...blocks, `${summary(diff)}\n`].join('');
}

/** 9 when something would be invalid or defined twice, 10 for changes where that is asked for. */
export function exitCodeOfDiff({ changes, problems, conflicts }: Diff, tellsChanges: boolean) {
  if (problems.length > 0 || conflicts.length > 0) return 9;
  return tellsChanges && changes.length > 0 ? 10 : 0;
}

function renderChange(change: Change, terminal: Terminal): string {
  const { name, kind, file, fields } = change;
  const heading = `${paint(name, 'bold', terminal)}  ${paint(kind, COLOURS[kind], terminal)}`;
  const about = [oneLine(file), ...describe(change)].join(', ');
  const lines = fields.map((field) => `  ${renderField(field, file)}\n`);
  return `${heading}  (${about})\n${lines.join('')}`;
}

function describe({ kind, runs, generation_before, generation_after }: Change): readonly string[] {
  const notRunning = kind === 'live' && !runs ? ['not running'] : [];
  if (generation_before === null) return ['new', ...notRunning];
  if (generation_after === null) {
    return [`generation ${generation_before}`, runs ? 'running' : 'not running'];
  }
  if (generation_before === generation_after) return [`generation ${generation_before}`];
  return [`generation ${generation_before} → ${generation_after}`, ...notRunning];
}

function renderField({ path, before, after, line }: Field, file: string): string {
  const place = line === null ? 'default' : `${basename(file)}:${line}`;
  const where = after === null ? '' : `   ${place}`;
  return oneLine(`${path}: ${renderValues(before, after)}`) + oneLine(where);
}

function renderValues(before: string | null, after: string | null): string {
  // Only of secrets both sides look the same.
  if (before === after) return `${after} (changed)`;
  return `${before ?? '(none)'} → ${after ?? '(none)'}`;
}

function summary({ changes, unchanged, problems, conflicts }: Diff): string {
  const counts = KINDS.flatMap((kind) => {
    const count = changes.filter((change) => change.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  const troubles = [
    ...(problems.length === 0 ? [] : [`${problems.length} invalid`]),
    ...(conflicts.length === 0 ? [] : [`${conflicts.length} defined more than once`]),
  ];
  const changing = counts.length === 0 ? 'nothing is pending' : counts.join(', ');
  return [changing, [`${unchanged} unchanged`, ...troubles].join(', ')].join('; ');
}
