import type { JobHistoryRow, NextSlotRow } from '../rpc/job-rows.ts';
import { formatBytes } from './format-bytes.ts';
import { formatSpan, formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { type Column, type Row, renderTable } from './render-table.ts';
import { type Colour, oneLine } from './text.ts';

const HISTORY: readonly Column[] = [
  { header: 'JOB', shrinksTo: 8 },
  { header: 'SLOT' },
  { header: 'OUTCOME' },
  { header: 'RUN', alignRight: true },
  { header: 'TOOK', alignRight: true },
  { header: 'CPU', alignRight: true },
  { header: 'PEAK MEMORY', alignRight: true },
  { header: 'EXIT', shrinksTo: 10 },
];

/** One line a slot (or some in a row with one fate), oldest first. Pure but for the time zone. */
export function renderHistory(rows: readonly JobHistoryRow[], terminal: Terminal): string {
  return rows.length === 0
    ? 'no slot and no run is recorded\n'
    : renderTable(HISTORY, rows.map(historyRow), terminal);
}

function historyRow(row: JobHistoryRow): Row {
  const outcome = row.outcome ?? (row.ended_at_ms === null ? 'running' : 'retrying');
  return {
    cells: [
      row.application,
      slotText(row),
      outcome,
      row.run === null ? '' : `${row.run}${row.tries > 1 ? ` (try ${row.tries})` : ''}`,
      span(row.duration_ms),
      span(row.cpu_ms),
      row.peak_memory_bytes === null ? '' : formatBytes(row.peak_memory_bytes),
      [row.exit?.message, row.reason]
        .filter((text) => text)
        .map((text) => oneLine(text ?? ''))
        .join('; '),
    ],
    colours: { 2: OUTCOME_COLOURS[outcome] ?? 'dim' },
  };
}

const OUTCOME_COLOURS: Readonly<Record<string, Colour>> = {
  ok: 'green',
  running: 'green',
  retrying: 'yellow',
  failed: 'red',
  overtime: 'red',
  lost: 'red',
  missed: 'yellow',
};

function slotText({ slot_ms, last_slot_ms, slots, started_at_ms }: JobHistoryRow): string {
  if (slot_ms === null) {
    return started_at_ms === null ? 'by hand' : `by hand ${formatTime(started_at_ms)}`;
  }
  if (last_slot_ms === null || last_slot_ms === slot_ms) return formatTime(slot_ms);
  const count = slots === null ? '' : ` (${slots})`;
  return `${formatTime(slot_ms)} to ${formatTime(last_slot_ms)}${count}`;
}

/** Blank where it is not known, never 0. */
function span(ms: number | null): string {
  if (ms === null) return '';
  return ms < 10_000 ? `${(ms / 1_000).toFixed(ms < 1_000 ? 3 : 1)}s` : formatSpan(ms);
}

const NEXT: readonly Column[] = [
  { header: 'JOB', shrinksTo: 8 },
  { header: 'SLOT' },
  { header: 'IN', alignRight: true },
  { header: 'BEGINS', shrinksTo: 10 },
];

/** One line a slot to come. Pure but for the time zone. */
export function renderNext(
  rows: readonly NextSlotRow[],
  nowMs: number,
  terminal: Terminal,
): string {
  if (rows.length === 0) return 'no slot is to come\n';
  const cells = rows.map(({ application, slot_ms, start_ms, blocked }) => ({
    cells: [
      application,
      formatTime(slot_ms),
      formatSpan(Math.max(start_ms - nowMs, 0)),
      begins(slot_ms, start_ms, blocked),
    ],
  }));
  return renderTable(NEXT, cells, terminal);
}

function begins(slotMs: number, startMs: number, blocked: string | null): string {
  if (blocked !== null) return `not run: ${oneLine(blocked)}`;
  return startMs === slotMs ? 'at its slot' : formatTime(startMs);
}
