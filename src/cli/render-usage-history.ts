import type { SampleField } from '../model/usage-sample.ts';
import type { UsageHistoryRow } from '../rpc/usage-rows.ts';
import { formatBytes } from './format-bytes.ts';
import { formatSpan, formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { type Column, type Row, renderTable } from './render-table.ts';

type Format = (value: number) => string;

const percent: Format = (value) => `${value.toFixed(1)}%`;

/** What a line shows, in this order: a number's mean, or its greatest. */
const SHOWN: readonly (readonly [string, SampleField, 'mean' | 'max', Format])[] = [
  ['CPU', 'cpu_percent', 'mean', percent],
  ['MOST', 'cpu_percent', 'max', percent],
  ['THROTTLED', 'throttled_percent', 'mean', percent],
  ['MEMORY', 'memory_bytes', 'max', formatBytes],
  ['WORKING SET', 'memory_working_set_bytes', 'max', formatBytes],
  ['SWAP', 'swap_bytes', 'max', formatBytes],
  ['READ/s', 'io_read_bytes_per_s', 'mean', formatBytes],
  ['WRITE/s', 'io_write_bytes_per_s', 'mean', formatBytes],
  ['PIDS', 'pids', 'max', (value) => String(Math.round(value))],
];

const WAITED: readonly SampleField[] = [
  'cpu_some_percent',
  'memory_some_percent',
  'io_some_percent',
];

const COLUMNS: readonly Column[] = [
  { header: 'FROM' },
  ...SHOWN.map(([header]) => ({ header, alignRight: true })),
  { header: 'WAITED CPU MEM IO', alignRight: true },
];

/** A line for each step of the time, those of which nothing is known left out. Pure but for the time zone. */
export function renderUsageHistory(history: UsageHistoryRow, terminal: Terminal): string {
  const lines = (history.series[0]?.mean ?? []).flatMap((_, point) => lineOf(history, point) ?? []);
  if (lines.length === 0) return 'nothing is known of that time\n';
  const step = `each line ${formatSpan(history.step_ms)}\n`;
  return `${renderTable(COLUMNS, lines, terminal)}${step}`;
}

function lineOf(history: UsageHistoryRow, point: number): Row | null {
  const of = (field: SampleField, which: 'mean' | 'max') =>
    history.series.find((series) => series.field === field)?.[which][point] ?? null;
  const cells = SHOWN.map(([, field, which, format]) => {
    const value = of(field, which);
    return value === null ? '' : format(value);
  });
  const waited = WAITED.map((field) => of(field, 'max'));
  if (cells.every((cell) => cell === '') && waited.every((value) => value === null)) return null;
  const time = formatTime(history.from_ms + point * history.step_ms);
  const waits = waited.map((value) => (value === null ? '-' : percent(value))).join(' ');
  return { cells: [time, ...cells, waits] };
}
