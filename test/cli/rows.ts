import type { Terminal } from '../../src/cli/invocation.ts';
import type { StatusRow } from '../../src/rpc/status-row.ts';

/** Local noon; what is rendered in local time reads the same everywhere. */
export const NOON = new Date(2026, 0, 15, 12, 0, 0).getTime();

/** No terminal, or the kind that a test wants. */
export function view(changes: Partial<Terminal> = {}): Terminal {
  return { columns: Number.POSITIVE_INFINITY, colours: false, ...changes };
}

/** A running service. */
export function row(changes: Partial<StatusRow> = {}): StatusRow {
  return {
    application: 'web',
    description: '',
    labels: {},
    enabled: true,
    running: true,
    actual: 'RUNNING',
    phase: 'RUNNING',
    conditions: [{ type: 'Populated', message: '3 processes' }],
    system_flags: ['system_start'],
    user_flags: [],
    user_flag_expires_at_ms: {},
    pids: [1201, 1202, 1203],
    pid_uptimes_ms: [],
    main_pid: 1201,
    main_pid_gone: false,
    run: 7,
    generation: 3,
    source_file: '/etc/pm/config.d/web.yaml',
    working_directory: '/srv/web',
    started_at_ms: NOON,
    uptime_ms: 192_000,
    last_run_at_ms: NOON,
    last_exit_code: null,
    last_exit: null,
    restarts_10m: 0,
    next_start_in_ms: null,
    next_slot_ms: null,
    last_outcome: null,
    stopped_by: null,
    stopped_reason: null,
    stopped_until_ms: null,
    provisioning_defined: false,
    provisioning_marker: null,
    provisioning_marker_exists: false,
    schedule: null,
    schedule_not_before_ms: null,
    schedule_not_after_ms: null,
    schedule_max_time_per_run_ms: null,
    detail: null,
    ...changes,
  };
}

/** A service that crashed and waits for its next start. */
export const crashed = row({
  application: 'crasher',
  running: false,
  actual: 'STOPPED',
  phase: 'BACKOFF',
  conditions: [{ type: 'Backoff', message: 'exit code 3; restart 2 of a series' }],
  system_flags: ['backoff', 'exit_err'],
  pids: [],
  main_pid: null,
  uptime_ms: null,
  started_at_ms: null,
  restarts_10m: 2,
  next_start_in_ms: 1_700,
  last_exit_code: 3,
  last_exit: { kind: 'exited', code: 3, signal: null, message: 'exit code 3', at_ms: NOON },
});
