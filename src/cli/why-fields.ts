import { spokenSpan } from '../lib/spoken-span.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { formatTime } from './format-time.ts';

/** A label and what stands beside it; an empty label goes on with the one above. */
type Field = readonly [string, string];

const MOST_PLACES = 3;
const MOST_WAYS_OUT = 4;

/** The facts of an explanation as labelled lines, in the order in which people ask. Pure but for the timezone. */
export function whyFields(explanation: Explanation): readonly Field[] {
  return [
    ['wanted', `${explanation.desired.wanted}: ${explanation.desired.because}`],
    ['decided by', describeDecision(explanation)],
    ...definitionFields(explanation),
    ['observed', describeObserved(explanation)],
    ...lastExitFields(explanation),
    ...restartFields(explanation),
    ['next', describeNext(explanation)],
    ...labelled('way out', explanation.ways_out.slice(0, MOST_WAYS_OUT).map(describeWayOut)),
  ];
}

function describeDecision({ desired, at_ms }: Explanation): string {
  const { kind, actor, file, line, reason, until_ms, at_ms: decidedAtMs } = desired.decided_by;
  const who = actor === null ? kind : `${kind} ${actor}`;
  const where = file === null ? null : line === null ? file : `${file}:${line}`;
  const when = decidedAtMs === null ? null : timeAndAgo(decidedAtMs, at_ms);
  const until = until_ms === null ? null : `until ${formatTime(until_ms)}`;
  const known = [where, when, until].filter((part) => part !== null);
  const said = reason === null ? '' : `: ${reason}`;
  return `${who}${said}${known.length === 0 ? '' : `, ${known.join(', ')}`}`;
}

function definitionFields({ definition }: Explanation): readonly Field[] {
  const { file, generation, trouble, waiting } = definition;
  const inForce = generation === null ? 'none is in force' : `generation ${generation} of ${file}`;
  const places = trouble?.places.map(describePlace) ?? [];
  const isBehind = generation !== null && (trouble !== null || waiting !== null);
  const since = waiting === null ? '' : `, ${waiting} since, which waits for pmctl update`;
  return [
    ['definition', `${inForce}${isBehind ? ' stays in force' : ''}${since}`],
    ...labelled(trouble?.kind ?? '', abridged(places)),
  ];
}

function describePlace(place: {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}): string {
  const position = [place.file, place.line, place.column].filter((part) => part !== null);
  return `${position.join(':')}: ${place.message}`;
}

function describeObserved({ observed, at_ms }: Explanation): string {
  const { actual, since_ms, run, processes } = observed;
  const parts = [
    since_ms === null ? actual : `${actual} since ${timeAndAgo(since_ms, at_ms)}`,
    run === null ? 'never started' : `run ${run}`,
    ...(actual === 'RUNNING' ? [`${processes} ${processes === 1 ? 'process' : 'processes'}`] : []),
  ];
  return parts.join(', ');
}

function lastExitFields({ last_exit, at_ms }: Explanation): readonly Field[] {
  if (last_exit === null) return [];
  const { decoded, run, ran_ms, stopped_because, killed } = last_exit;
  const parts = [
    decoded,
    ...(run === null ? [] : [`run ${run}${ran_ms === null ? '' : ` after ${spokenSpan(ran_ms)}`}`]),
    timeAndAgo(last_exit.at_ms, at_ms),
    ...(stopped_because === null ? [] : [`asked to: ${stopped_because}`]),
    ...(killed === 0 ? [] : [`${killed} killed after the grace`]),
  ];
  return [['last exit', parts.join(', ')]];
}

/** The budget matters where it is being used up; else the policy is said in a word. */
function restartFields({ restarts, phase, last_exit }: Explanation): readonly Field[] {
  if (restarts === null) return [];
  const { policy, max, within_ms, at_ms, last_exits } = restarts;
  const budget = `policy ${policy}, ${max} in ${spokenSpan(within_ms)} tolerated`;
  if (phase !== 'FAILED' && phase !== 'BACKOFF') return [['restarts', budget]];
  const times = at_ms.slice(-MOST_TIMES).map(timeOfDay);
  const used = `${at_ms.length} counted${times.length === 0 ? '' : ` (${times.join(', ')})`}`;
  const ends = last_exits
    .filter(({ run }) => run !== last_exit?.run)
    .map(({ run, message }) => `run ${run}: ${message}`);
  return [
    ['restarts', `${budget}, ${used}`],
    ...(ends.length > 0 ? [['before', ends.join('; ')] as const] : []),
  ];
}

const MOST_TIMES = 5;

function describeNext({ next }: Explanation): string {
  if (next === null) return 'nothing is due until something changes';
  const { message, in_ms, at_ms } = next;
  if (in_ms === null || at_ms === null) return message;
  return in_ms === 0
    ? `${message}, now`
    : `${message} in ${spokenSpan(in_ms)}, at ${timeOfDay(at_ms)}`;
}

function describeWayOut({ command, hint }: Explanation['ways_out'][number]): string {
  return command === null ? hint : `${command}: ${hint}`;
}

function labelled(label: string, lines: readonly string[]): readonly Field[] {
  return lines.map((line, index) => [index === 0 ? label : '', line] as const);
}

function abridged(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_PLACES) return lines;
  return [...lines.slice(0, MOST_PLACES), `... and ${lines.length - MOST_PLACES} more`];
}

function timeAndAgo(atMs: number, nowMs: number): string {
  return `${formatTime(atMs)} (${spokenSpan(nowMs - atMs)} ago)`;
}

function timeOfDay(atMs: number): string {
  return formatTime(atMs).split(' ')[1] ?? '';
}
