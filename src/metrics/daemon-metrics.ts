import type { ResultOf } from '../rpc/contract.ts';
import type { Metric } from './metric.ts';

/** What the daemon is and uses, and what happened since it began. Pure. */
export function daemonMetrics(
  version: ResultOf<'daemon.version'>,
  own: ResultOf<'daemon.metrics'>,
): readonly Metric[] {
  const one = (value: number | null) => [{ labels: {}, value }];
  return [
    {
      name: 'processmaster_build',
      type: 'info',
      help: 'The build of the daemon.',
      samples: [{ labels: { version: version.build.version }, value: 1 }],
    },
    {
      name: 'processmaster_daemon_start_time_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'When the daemon was started, since the epoch.',
      samples: one(own.started_at_ms / 1_000),
    },
    {
      name: 'processmaster_daemon_cpu_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'CPU time of the daemon.',
      samples: one(own.cpu_us / 1_000_000),
    },
    {
      name: 'processmaster_daemon_resident_memory_bytes',
      type: 'gauge',
      unit: 'bytes',
      help: 'Resident memory of the daemon.',
      samples: one(own.resident_bytes),
    },
    {
      name: 'processmaster_daemon_open_descriptors',
      type: 'gauge',
      help: 'Descriptors that the daemon has open.',
      samples: one(own.open_descriptors),
    },
    {
      name: 'processmaster_daemon_loop_delay_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'How late the loop came to what was due, the worst of the last minute.',
      samples: one(own.loop_delay_ms === null ? null : own.loop_delay_ms / 1_000),
    },
    {
      name: 'processmaster_events',
      type: 'counter',
      help: 'Events since the daemon began, by kind.',
      samples: own.events.map(({ application, kind, count }) => ({
        labels: { service: application ?? '', kind },
        value: count,
      })),
    },
    {
      name: 'processmaster_job_slots',
      type: 'counter',
      help: 'Slots of jobs since the daemon began, by outcome.',
      samples: own.slots.map(({ application, outcome, count }) => ({
        labels: { service: application, outcome },
        value: count,
      })),
    },
  ];
}
