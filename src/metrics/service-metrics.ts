import type { StatusRow } from '../rpc/status-row.ts';
import type { UsageRow } from '../rpc/usage-rows.ts';
import type { Metric, Sample } from './metric.ts';

const PHASES = [
  ...['RUNNING', 'STARTING', 'STOPPING', 'STOPPED', 'BACKOFF', 'FAILED', 'INVALID', 'DISABLED'],
  'SCHEDULED',
];

/** What services are and do. Pure. */
export function serviceMetrics(rows: readonly StatusRow[]): readonly Metric[] {
  const of = (value: (row: StatusRow) => number | null) => samplesOf(rows, value);
  const jobs = rows.filter(({ schedule }) => schedule !== null);
  const ofJobs = (value: (row: StatusRow) => number | null) => samplesOf(jobs, value);
  return [
    {
      name: 'processmaster_service_phase',
      type: 'stateset',
      help: 'The phase of a service; 1 is the one it is in.',
      samples: rows.flatMap(({ application, phase }) =>
        PHASES.map((state) => ({
          labels: { service: application, processmaster_service_phase: state },
          value: state === phase ? 1 : 0,
        })),
      ),
    },
    {
      name: 'processmaster_service_condition',
      type: 'gauge',
      help: 'Conditions of a service that hold now.',
      samples: rows.flatMap(({ application, conditions }) =>
        [...new Set(conditions.map(({ type }) => type))].map((condition) => ({
          labels: { service: application, condition },
          value: 1,
        })),
      ),
    },
    {
      name: 'processmaster_service_enabled',
      type: 'gauge',
      help: 'Whether the definition wants it to run.',
      samples: of(({ enabled }) => (enabled ? 1 : 0)),
    },
    {
      name: 'processmaster_service_runs',
      type: 'counter',
      help: 'Runs of a service since it was first seen on this host.',
      samples: of(({ run }) => run),
    },
    {
      name: 'processmaster_service_start_time_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'When what runs was started, since the epoch.',
      samples: of(({ started_at_ms }) => seconds(started_at_ms)),
    },
    {
      name: 'processmaster_job_next_slot_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'When a job is due next, since the epoch.',
      samples: ofJobs(({ next_slot_ms }) => seconds(next_slot_ms)),
    },
    {
      name: 'processmaster_job_last_ok',
      type: 'gauge',
      help: 'Whether the newest slot that is over went well.',
      samples: ofJobs(({ last_outcome }) =>
        last_outcome === null ? null : Number(last_outcome === 'ok'),
      ),
    },
  ];
}

/** What services use. What is not counted on this host is left out. Pure. */
export function usageMetrics(rows: readonly UsageRow[]): readonly Metric[] {
  const of = (value: (row: UsageRow) => number | null) => samplesOf(rows, value);
  const metric = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    value: (row: UsageRow) => number | null,
    unit?: string,
  ): Metric => ({
    name: `processmaster_service_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    samples: of(value),
  });
  return [
    metric('cpu_seconds', 'counter', 'CPU time of the run.', (row) => us(row.cpu_us), 'seconds'),
    metric(
      'cpu_throttled_seconds',
      'counter',
      'Time that max_cpu took.',
      (row) => us(row.cpu_throttled_us),
      'seconds',
    ),
    metric('cpu_periods', 'counter', 'Periods with something to run.', (row) => row.cpu_periods),
    metric(
      'cpu_throttled_periods',
      'counter',
      'Those of them that max_cpu cut short.',
      (row) => row.cpu_throttled_periods,
    ),
    metric('memory_bytes', 'gauge', 'Memory in use.', (row) => row.memory_bytes, 'bytes'),
    metric(
      'memory_working_set_bytes',
      'gauge',
      'Memory without file pages not used lately.',
      (row) => row.memory_working_set_bytes,
      'bytes',
    ),
    metric(
      'memory_anon_bytes',
      'gauge',
      'Memory that no file backs.',
      (row) => row.memory_anon_bytes,
      'bytes',
    ),
    metric(
      'memory_peak_bytes',
      'gauge',
      'Most memory of the run.',
      (row) => row.memory_peak_bytes,
      'bytes',
    ),
    metric(
      'memory_limit_bytes',
      'gauge',
      'The limit max_memory.',
      (row) => row.memory_limit_bytes,
      'bytes',
    ),
    metric('swap_bytes', 'gauge', 'Swap in use.', (row) => row.swap_bytes, 'bytes'),
    metric('io_read_bytes', 'counter', 'Read from disks.', (row) => row.io_read_bytes, 'bytes'),
    metric(
      'io_written_bytes',
      'counter',
      'Written to disks.',
      (row) => row.io_write_bytes,
      'bytes',
    ),
    metric('io_reads', 'counter', 'Reads from disks.', (row) => row.io_reads),
    metric('io_writes', 'counter', 'Writes to disks.', (row) => row.io_writes),
    metric('processes', 'gauge', 'Processes and threads.', (row) => row.pids),
    {
      name: 'processmaster_service_waited_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'Time in which some process of it waited for a resource (PSI).',
      samples: rows.flatMap((row) =>
        (['cpu', 'memory', 'io'] as const).map((resource) => ({
          labels: { service: row.application, resource },
          value: us(row[`${resource}_pressure`]?.some_total_us ?? null),
        })),
      ),
    },
  ];
}

function samplesOf<Row extends { readonly application: string }>(
  rows: readonly Row[],
  value: (row: Row) => number | null,
): readonly Sample[] {
  return rows.map((row) => ({ labels: { service: row.application }, value: value(row) }));
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}

function us(count: number | null): number | null {
  return count === null ? null : count / 1_000_000;
}
