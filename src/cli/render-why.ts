import { spokenSpan } from '../lib/spoken-span.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { displayWidth } from './display-width.ts';
import { formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { hang, section } from './paragraph.ts';
import { colourOf } from './render-status.ts';
import { cut, oneLine, paint, wrap } from './text.ts';
import { whyFields } from './why-fields.ts';

/** All of it is to fit on one screen, so each part has its share. */
const MOST_SUMMARY_LINES = 4;
const MOST_FIELD_LINES = 2;
const MOST_PROCESSES = 4;
const MOST_TRANSITIONS = 6;
const MOST_STDERR_LINES = 5;
/** Where what stands above takes more lines than this, the last two get fewer. */
const MANY_LINES = 20;
const FEWER = 3;

/**
 * The answer in one sentence, then the facts it rests on: at most about forty lines, no wider than the
 * terminal. Pure but for the timezone.
 */
export function renderWhy(explanation: Explanation, terminal: Terminal): string {
  const { stderr, last_exit, observed } = explanation;
  const isOlder = observed.actual === 'STOPPED' && last_exit?.kind === 'launch_failed';
  const title = `stderr${isOlder ? ' of earlier runs' : ''}, ${oneLine(stderr?.path ?? '')}`;
  const above = [
    renderSummary(explanation, terminal),
    '\n',
    renderFields(explanation, terminal),
    section('processes', renderProcesses(explanation, terminal), terminal),
  ].join('');
  const most = above.split('\n').length > MANY_LINES ? FEWER : Number.POSITIVE_INFINITY;
  return [
    above,
    section('last transitions', renderTransitions(explanation, most, terminal), terminal),
    section(title, renderStderr(stderr, most, terminal), terminal),
  ].join('');
}

/** `web is BACKOFF` in its colours, where it stands unbroken in the first line. */
function renderSummary({ summary, application, phase }: Explanation, terminal: Terminal): string {
  const width = Math.max(terminal.columns - 2, 20);
  const [first = '', ...others] = wrap(oneLine(summary), width);
  const rest = others.slice(0, MOST_SUMMARY_LINES - 1);
  if (others.length > rest.length) rest.push(cut(`${rest.pop()} ...`, width));
  const head = `${application} is ${phase}`;
  const painted = first.startsWith(head)
    ? `${paint(application, 'bold', terminal)} is ${paint(phase, colourOf(phase), terminal)}`
    : null;
  const begun = painted === null ? first : painted + first.slice(head.length);
  return [begun, ...rest.map((line) => `  ${line}`)].map((line) => `${line}\n`).join('');
}

function renderFields(explanation: Explanation, terminal: Terminal): string {
  return whyFields(explanation)
    .flatMap(([label, value]) =>
      hang(`  ${label.padEnd(10)}  `, oneLine(value), terminal, MOST_FIELD_LINES),
    )
    .join('');
}

function renderProcesses({ observed }: Explanation, terminal: Terminal): string {
  const { pids, processes, main_pid } = observed;
  const shown = pids.slice(0, MOST_PROCESSES);
  const lines = shown.map(({ pid, uptime_ms, command }) => {
    const main = pid === main_pid ? ' (main)' : '';
    return `${pid}${main}  up ${spokenSpan(uptime_ms)}  ${oneLine(command)}`;
  });
  if (processes > shown.length) lines.push(`... and ${processes - shown.length} more`);
  return indented(lines, terminal);
}

function renderTransitions(
  { transitions, at_ms }: Explanation,
  most: number,
  terminal: Terminal,
): string {
  const shown = transitions.slice(-Math.min(MOST_TRANSITIONS, most));
  const times = shown.map((one) => timeSince(one.at_ms, at_ms));
  const kinds = shown.map(({ kind }) => kind.replace(/^service\./, ''));
  const [timeWidth, kindWidth] = [widest(times), widest(kinds)];
  const lines = shown.map(({ message }, index) =>
    [
      (times[index] ?? '').padEnd(timeWidth),
      (kinds[index] ?? '').padEnd(kindWidth),
      oneLine(message),
    ].join('  '),
  );
  return indented(lines, terminal);
}

function renderStderr(stderr: Explanation['stderr'], most: number, terminal: Terminal): string {
  if (stderr === null) return '';
  if (stderr.error !== null) return indented([oneLine(stderr.error)], terminal);
  return indented(stderr.lines.slice(-Math.min(MOST_STDERR_LINES, most)).map(oneLine), terminal);
}

/** Each on one line: what does not fit is in the log, or in the JSON. */
function indented(lines: readonly string[], terminal: Terminal): string {
  return lines.map((line) => `  ${cut(line, Math.max(terminal.columns - 2, 20))}\n`).join('');
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(displayWidth));
}

/** The time of day for what was today, the date with it for what was not. */
function timeSince(atMs: number, nowMs: number): string {
  const [date, time] = formatTime(atMs).split(' ');
  return formatTime(nowMs).startsWith(`${date} `) ? (time ?? '') : formatTime(atMs);
}
