import type { EventRow } from '../rpc/status-row.ts';
import { formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { type Column, type Row, renderTable } from './render-table.ts';
import { oneLine, paint } from './text.ts';

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

/** One event on one line, as they come; columns stand below each other unless one is long. */
export function renderEventLine(event: EventRow, terminal: Terminal): string {
  const [time = '', service = '', kind = '', actor = '', message = ''] = rowOf(event).cells;
  const padded = [service.padEnd(16), kind.padEnd(22), actor.padEnd(10)];
  return `${[paint(time, 'dim', terminal), ...padded, message].join('  ')}\n`;
}

function rowOf({ at_ms, service, kind, actor, message }: EventRow): Row {
  const cells = [formatTime(at_ms), service ?? '-', kind, oneLine(actor), oneLine(message)];
  return { cells, colours: { 0: 'dim' } };
}
