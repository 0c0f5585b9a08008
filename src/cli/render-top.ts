import type { ResultOf } from '../rpc/contract.ts';
import type { BriefRow } from '../rpc/status-row.ts';
import { formatBytes } from './format-bytes.ts';
import { formatSpan, formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { colourOf } from './render-status.ts';
import { type Column, type Row, renderTable } from './render-table.ts';
import type { UsageSample } from './render-usage.ts';

/** A service and what it uses; `usage` is `null` when nothing of it runs. */
export interface TopRow {
  readonly service: BriefRow;
  readonly usage: UsageSample | null;
}

/** What somebody has to look at comes first. */
const PROBLEMS = ['FAILED', 'INVALID', 'BACKOFF', 'STOPPING', 'STARTING'];

const COLUMNS: readonly Column[] = [
  { header: 'NAME', shrinksTo: 8 },
  { header: 'STATE' },
  { header: 'PID', alignRight: true },
  { header: 'CPU%', alignRight: true },
  { header: 'MEM', alignRight: true },
  { header: 'MEM%', alignRight: true },
  { header: 'IO/s', alignRight: true },
  { header: 'PSI10', alignRight: true },
  { header: 'RST', alignRight: true },
];

/** Problems first, then who uses most CPU, then by name. Pure. */
export function topRows(
  services: readonly BriefRow[],
  samples: readonly UsageSample[],
): readonly TopRow[] {
  const byName = new Map(samples.map((sample) => [sample.application, sample]));
  return services
    .map((service) => ({ service, usage: byName.get(service.application) ?? null }))
    .toSorted(
      (one, other) =>
        urgency(one) - urgency(other) ||
        (other.usage?.cpu_percent ?? -1) - (one.usage?.cpu_percent ?? -1) ||
        one.service.application.localeCompare(other.service.application),
    );
}

function urgency({ service }: TopRow): number {
  const at = PROBLEMS.indexOf(service.phase);
  return at === -1 ? PROBLEMS.length : at;
}

/** One screen: who the daemon is, how many services are in which phase, and a line for each. Pure. */
export function renderTop(
  rows: readonly TopRow[],
  { build, uptime_ms }: ResultOf<'daemon.version'>,
  nowMs: number,
  terminal: Terminal,
): string {
  const counts = new Map<string, number>();
  for (const { service } of rows) counts.set(service.phase, (counts.get(service.phase) ?? 0) + 1);
  const phases = [...counts].map(([phase, count]) => `${count} ${phase}`).join(', ');
  const head = `processmaster ${build.version}  up ${formatSpan(uptime_ms)}  ${formatTime(nowMs)}\n`;
  const summary = `${rows.length} services${phases === '' ? '' : `: ${phases}`}\n`;
  return head + summary + (rows.length === 0 ? '' : renderTable(COLUMNS, rows.map(line), terminal));
}

/** Dashes where nothing runs, blanks for what nobody counts here, never 0 for either. */
function line({ service, usage }: TopRow): Row {
  const colour = colourOf(service.phase);
  const measured = (text: (usage: UsageSample) => string) => (usage === null ? '-' : text(usage));
  return {
    cells: [
      service.application,
      stateOf(service),
      service.pids[0] === undefined ? '-' : String(service.pids[0]),
      measured(({ cpu_percent }) => cpu_percent?.toFixed(1) ?? ''),
      measured(({ memory_bytes }) => (memory_bytes === null ? '' : formatBytes(memory_bytes))),
      measured(memoryShare),
      measured(({ io_read_bytes_per_s: read, io_write_bytes_per_s: write }) =>
        read === null || write === null ? '' : formatBytes(read + write),
      ),
      measured(({ cpu_pressure }) => cpu_pressure?.some_avg10.toFixed(1) ?? ''),
      String(service.restarts_10m),
    ],
    ...(colour === null ? {} : { colours: { 1: colour } }),
  };
}

function stateOf({ phase, next_start_in_ms }: BriefRow): string {
  const waits = phase === 'BACKOFF' && next_start_in_ms !== null;
  return waits ? `${phase} ${formatSpan(next_start_in_ms)}` : phase;
}

function memoryShare({ memory_bytes, memory_limit_bytes }: UsageSample): string {
  if (memory_bytes === null || memory_limit_bytes === null) return '';
  return `${Math.round((memory_bytes * 100) / memory_limit_bytes)}%`;
}
