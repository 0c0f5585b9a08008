import type { BriefRow } from '../rpc/status-row.ts';
import { noteLines } from './condition-notes.ts';
import { formatSpan } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { type Column, type Row, renderTable } from './render-table.ts';
import { type Colour, oneLine, paint } from './text.ts';

const COLUMNS: readonly Column[] = [
  { header: 'NAME', shrinksTo: 8 },
  { header: 'PHASE' },
  { header: 'PIDS', shrinksTo: 8 },
  { header: 'UPTIME', alignRight: true },
  { header: 'RESTARTS', alignRight: true },
  { header: 'LAST EXIT', shrinksTo: 10 },
];

/** Pids are listed as long as they take no more than this. */
const PIDS_WIDTH = 40;

/** One line a service, with what people should know below it. Pure. */
export function renderStatus(
  rows: readonly BriefRow[],
  warnings: readonly string[],
  terminal: Terminal,
): string {
  const table =
    rows.length === 0
      ? 'no services are defined\n'
      : renderTable(COLUMNS, rows.map(rowOf), terminal);
  return renderWarnings(warnings, terminal) + table;
}

/** What belongs to no service, above everything else. */
export function renderWarnings(warnings: readonly string[], terminal: Terminal): string {
  return warnings
    .map((text) => `${paint('warning:', 'yellow', terminal)} ${oneLine(text)}\n`)
    .join('');
}

/** What colour a phase has. */
export function colourOf(phase: string): Colour | null {
  switch (phase) {
    case 'RUNNING':
      return 'green';
    case 'FAILED':
    case 'INVALID':
      return 'red';
    case 'STARTING':
    case 'STOPPING':
    case 'BACKOFF':
      return 'yellow';
    case 'STOPPED':
    case 'DISABLED':
      return 'dim';
    default:
      return null;
  }
}

function rowOf(row: BriefRow): Row {
  const colour = colourOf(row.phase);
  return {
    cells: [
      row.application,
      row.phase,
      listPids(row.pids),
      row.uptime_ms === null ? '-' : formatSpan(row.uptime_ms),
      String(row.restarts_10m),
      describeLastExit(row.last_exit),
    ],
    ...(colour === null ? {} : { colours: { 1: colour } }),
    notes: [...noteLines(row), ...flagLine(row)],
  };
}

function flagLine({ user_flags }: BriefRow): readonly string[] {
  return user_flags.length === 0 ? [] : [`flags: ${user_flags.join(', ')}`];
}

function listPids(pids: readonly number[]): string {
  if (pids.length === 0) return '-';
  const all = pids.join(',');
  if (all.length <= PIDS_WIDTH) return all;
  const more = (shown: number) => ` +${pids.length - shown}`;
  let shown = pids.length - 1;
  while (shown > 1 && pids.slice(0, shown).join(',').length + more(shown).length > PIDS_WIDTH) {
    shown -= 1;
  }
  return pids.slice(0, shown).join(',') + more(shown);
}

/** Short: what there is to say about a start that failed stands below the row. */
function describeLastExit(exit: BriefRow['last_exit']): string {
  switch (exit?.kind) {
    case undefined:
      return '-';
    case 'exited':
      return `exit code ${exit.code}`;
    case 'signaled':
      return exit.signal ?? 'signal';
    case 'launch_failed':
      return 'not started';
    case 'unknown':
      return 'unknown';
  }
}
