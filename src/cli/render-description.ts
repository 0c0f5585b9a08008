import { spokenSpan } from '../lib/spoken-span.ts';
import type { Description, RunRow, SpecField } from '../rpc/description.ts';
import { formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { section } from './paragraph.ts';
import { renderDetail } from './render-detail.ts';
import { renderTable } from './render-table.ts';
import { oneLine } from './text.ts';

/** Everything about one service: its detail, its spec in force, its last runs. Pure but for the timezone. */
export function renderDescription(
  { service, spec, runs, warnings }: Description,
  terminal: Terminal,
): string {
  return [
    renderDetail(service, warnings, terminal),
    section('definition in force', spec === null ? 'none\n' : renderSpec(spec, terminal), terminal),
    section('runs', runs.length === 0 ? '' : renderRuns(runs, terminal), terminal),
  ].join('');
}

function renderSpec(fields: readonly SpecField[], terminal: Terminal): string {
  const columns = [
    { header: 'KEY', shrinksTo: 16 },
    { header: 'LINE', alignRight: true },
    { header: 'VALUE', shrinksTo: 16 },
  ];
  const rows = fields.map(({ key, value, line }) => ({
    cells: [key, line === null ? '-' : String(line), oneLine(valueAsText(value))],
    ...(line === null ? { colours: { 0: 'dim' as const } } : {}),
  }));
  return renderTable(columns, rows, terminal);
}

/** As a file would write it; nothing at all is a dash. */
function valueAsText(value: SpecField['value']): string {
  if (value === null || value === '') return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function renderRuns(runs: readonly RunRow[], terminal: Terminal): string {
  const columns = [
    { header: 'RUN', alignRight: true },
    { header: 'STARTED' },
    { header: 'TOOK', alignRight: true },
    { header: 'END', shrinksTo: 16 },
    { header: 'STARTED BECAUSE', shrinksTo: 16 },
  ];
  const rows = runs.map(({ run, started_at_ms, duration_ms, ended_at_ms, exit, reason }) => ({
    cells: [
      String(run),
      started_at_ms === null ? '-' : formatTime(started_at_ms),
      duration_ms === null ? '-' : spokenSpan(duration_ms),
      oneLine(exit?.message ?? (ended_at_ms === null ? '-' : 'not known')),
      oneLine(reason ?? '-'),
    ],
  }));
  return renderTable(columns, rows, terminal);
}
