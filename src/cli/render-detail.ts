import type { StatusRow } from '../rpc/status-row.ts';
import { formatSpan, formatTime } from './format-time.ts';
import type { Terminal } from './invocation.ts';
import { hang, section } from './paragraph.ts';
import { renderEvents } from './render-events.ts';
import { colourOf, renderWarnings } from './render-status.ts';
import { renderTable } from './render-table.ts';
import { oneLine, paint } from './text.ts';

/** Everything about one service. Pure but for the timezone. */
export function renderDetail(
  row: StatusRow,
  warnings: readonly string[],
  terminal: Terminal,
): string {
  const { processes, events } = row.detail ?? { processes: [], events: [] };
  return [
    renderWarnings(warnings, terminal),
    `${paint(row.application, 'bold', terminal)}  ${paint(row.phase, colourOf(row.phase), terminal)}\n`,
    renderFields(fieldsOf(row), terminal),
    section('conditions', renderConditions(row, terminal), terminal),
    section(
      'processes',
      processes.length === 0 ? '' : renderProcesses(processes, terminal),
      terminal,
    ),
    section('events', events.length === 0 ? '' : renderEvents(events, terminal), terminal),
  ].join('');
}

type Field = readonly [string, string | null];

function fieldsOf(row: StatusRow): readonly Field[] {
  const labels = Object.entries(row.labels).map(([name, value]) => `${name}=${value}`);
  return [
    ['description', row.description],
    ['labels', labels.join(' ')],
    ['definition', describeDefinition(row)],
    ['directory', row.working_directory],
    ['running', describeRunning(row)],
    [
      'main pid',
      row.main_pid === null ? null : `${row.main_pid}${row.main_pid_gone ? ' (gone)' : ''}`,
    ],
    ['stopped by', describeStop(row)],
    ['schedule', describeSchedule(row)],
    ['last exit', describeLastExit(row)],
    ['restarts', row.schedule === null ? `${row.restarts_10m} in the last 10 minutes` : null],
    ['flags', [...row.system_flags, ...describeUserFlags(row)].join(', ')],
  ];
}

function describeDefinition({ source_file, generation, enabled }: StatusRow): string | null {
  if (source_file === null) return null;
  if (generation === null) return source_file;
  return `${source_file} (generation ${generation}${enabled ? '' : ', disabled'})`;
}

function describeUserFlags({ user_flags, user_flag_expires_at_ms }: StatusRow): readonly string[] {
  return user_flags.map((name) => {
    const atMs = user_flag_expires_at_ms[name] ?? null;
    return atMs === null ? name : `${name} (until ${formatTime(atMs)})`;
  });
}

function describeRunning({ run, started_at_ms, uptime_ms }: StatusRow): string | null {
  if (started_at_ms === null || uptime_ms === null) return null;
  return `for ${formatSpan(uptime_ms)}, since ${formatTime(started_at_ms)} (run ${run ?? 0})`;
}

function describeStop({ stopped_by, stopped_reason, stopped_until_ms }: StatusRow): string | null {
  if (stopped_by === null) return null;
  const why = stopped_reason === null ? '' : `: ${stopped_reason}`;
  const until = stopped_until_ms === null ? '' : ` (until ${formatTime(stopped_until_ms)})`;
  return `${stopped_by}${until}${why}`;
}

function describeSchedule({ schedule, next_slot_ms, last_outcome }: StatusRow): string | null {
  if (schedule === null) return null;
  const next = next_slot_ms === null ? '' : `, next slot ${formatTime(next_slot_ms)}`;
  return `${schedule}${next}${last_outcome === null ? '' : `, last ${last_outcome}`}`;
}

function describeLastExit({ last_exit }: StatusRow): string | null {
  return last_exit === null ? null : `${last_exit.message}, at ${formatTime(last_exit.at_ms)}`;
}

function renderFields(fields: readonly Field[], terminal: Terminal): string {
  return fields
    .flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value] as const]))
    .flatMap(([name, value]) => hang(`  ${name.padEnd(11)}  `, oneLine(value), terminal))
    .join('');
}

function renderConditions({ conditions }: StatusRow, terminal: Terminal): string {
  return conditions
    .flatMap(({ type, message }) =>
      message.split('\n').flatMap((line, index) => {
        const head = index === 0 ? `${type}: ` : '';
        return hang(index === 0 ? '' : '  ', head + oneLine(line), terminal);
      }),
    )
    .join('');
}

function renderProcesses(
  processes: NonNullable<StatusRow['detail']>['processes'],
  terminal: Terminal,
) {
  const columns = [
    { header: 'PID', alignRight: true },
    { header: 'UPTIME', alignRight: true },
    { header: 'COMMAND', shrinksTo: 16 },
  ];
  const rows = processes.map(({ pid, uptime_ms, command }) => ({
    cells: [String(pid), formatSpan(uptime_ms), oneLine(command)],
  }));
  return renderTable(columns, rows, terminal);
}
