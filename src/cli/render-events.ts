import type { EventRow } from '../rpc/status-row.ts';
import { formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { type Column, type Row, renderTable } from './render-table.ts';
import { oneLine } from './text.ts';

const COLUMNS: readonly Column[] = [
  { header: 'TIME' },
  { header: 'SERVICE', shrinksTo: 8 },
  { header: 'EVENT', shrinksTo: 12 },
  { header: 'BY', shrinksTo: 6 },
  { header: 'MESSAGE', shrinksTo: 16 },
];

/** What happened, oldest first; the daemon's own events have no service. Pure but for the timezone. */
export function renderEvents(events: readonly EventRow[], terminal: Terminal): string {
  return events.length === 0 ? 'no events\n' : renderTable(COLUMNS, events.map(rowOf), terminal);
}

function rowOf({ at_ms, service, kind, actor, message }: EventRow): Row {
  const cells = [formatTime(at_ms), service ?? '-', kind, oneLine(actor), oneLine(message)];
  return { cells, colours: { 0: 'dim' } };
}
