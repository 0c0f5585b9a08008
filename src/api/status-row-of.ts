import type { Instant } from '../lib/clock.ts';
import { describeExit, hasActiveRun, type RunEnd } from '../model/history.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { StatusRow } from '../rpc/status-row.ts';

const RESTARTS_WINDOW_MS = 600_000;

/** The row that people and machines see of one service. Pure. */
export function statusRowOf(status: ServiceStatus, now: Instant): StatusRow {
  const { desired, cgroup, conditions, phase } = status;
  const accepted = desired?.accepted ?? null;
  const spec = accepted?.spec ?? null;
  return {
    application: status.name,
    description: spec?.description ?? '',
    labels: spec?.labels ?? {},
    enabled: spec?.enabled ?? false,
    running: cgroup.kind === 'populated',
    actual: actualOf(status),
    phase,
    conditions,
    system_flags: systemFlags(status),
    user_flags: [],
    pids: cgroup.kind === 'populated' ? cgroup.pids : [],
    pid_uptimes_ms: [],
    generation: accepted?.generation ?? null,
    source_file: accepted?.sourceFile ?? troubleFile(status),
    working_directory: spec?.workingDirectory ?? null,
    ...runFields(status, now),
    ...exitFields(status.history.runEnd),
    restarts_10m: restartsWithin(status, now.monotonicMs),
    next_start_in_ms: nextStartInMs(status, now.monotonicMs),
    stopped_by: status.intent?.want === 'stop' ? status.intent.actor : null,
    provisioning_defined: false,
    provisioning_marker: null,
    provisioning_marker_exists: false,
    schedule: null,
    schedule_not_before_ms: null,
    schedule_not_after_ms: null,
    schedule_max_time_per_run_ms: null,
    detail: null,
  };
}

function actualOf({ cgroup }: ServiceStatus): StatusRow['actual'] {
  switch (cgroup.kind) {
    case 'populated':
      return 'RUNNING';
    case 'empty':
    case 'absent':
      return 'STOPPED';
    case 'unknown':
      return 'UNKNOWN';
  }
}

function runFields({ history, conditions, cgroup }: ServiceStatus, now: Instant) {
  const { run } = history;
  const active = hasActiveRun(history) && cgroup.kind === 'populated' ? history.run : null;
  return {
    run: run?.number ?? null,
    last_run_at_ms: run?.launchedAt.wallMs ?? null,
    started_at_ms: active?.launchedAt.wallMs ?? null,
    uptime_ms: active && Math.max(Math.round(now.monotonicMs - active.launchedAt.monotonicMs), 0),
    main_pid: active && (history.main?.pid ?? null),
    main_pid_gone: conditions.some(({ type }) => type === 'MainProcessGone'),
  };
}

function exitFields(runEnd: RunEnd | null): Pick<StatusRow, 'last_exit' | 'last_exit_code'> {
  if (runEnd === null) return { last_exit: null, last_exit_code: null };
  const { exit, at } = runEnd;
  const code = exit.kind === 'exited' ? exit.code : null;
  const signal = exit.kind === 'signaled' ? exit.signal : null;
  const message = describeExit(exit);
  return {
    last_exit: { kind: exit.kind, code, signal, message, at_ms: at.wallMs },
    last_exit_code: code,
  };
}

function systemFlags(status: ServiceStatus): readonly string[] {
  const { history, intent, phase } = status;
  const flags: string[] = [];
  if (history.failed || phase === 'FAILED') flags.push('failed');
  if (phase === 'BACKOFF') flags.push('backoff');
  if (intent?.want === 'stop') flags.push('user_stop');
  if (hasActiveRun(history)) {
    flags.push(intent?.want === 'run' ? 'user_start' : 'system_start');
  }
  return [...flags, ...exitFlags(status)];
}

/** An end that we asked for is never a failure. */
function exitFlags({ history, desired }: ServiceStatus): readonly string[] {
  const { runEnd } = history;
  if (runEnd === null) return [];
  if (runEnd.stop !== null) return ['exit_ok'];
  const spec = desired?.accepted?.spec ?? history.run?.accepted?.spec;
  switch (runEnd.exit.kind) {
    case 'unknown':
      return [];
    case 'exited':
      return [(spec?.successExitCodes ?? [0]).includes(runEnd.exit.code) ? 'exit_ok' : 'exit_err'];
    case 'signaled':
    case 'launch_failed':
      return ['exit_err'];
  }
}

function troubleFile({ desired }: ServiceStatus): string | null {
  switch (desired?.trouble?.kind) {
    case 'invalid':
      return desired.trouble.problems[0].file;
    case 'conflict':
      return desired.trouble.files[0] ?? null;
    case 'held':
    case undefined:
      return null;
  }
}

function restartsWithin({ history }: ServiceStatus, nowMs: number): number {
  return history.restartsMonotonicMs.filter((atMs) => nowMs - atMs < RESTARTS_WINDOW_MS).length;
}

function nextStartInMs({ history, phase }: ServiceStatus, nowMs: number): number | null {
  if (phase !== 'BACKOFF' || history.nextStartMonotonicMs === null) return null;
  return Math.max(Math.round(history.nextStartMonotonicMs - nowMs), 0);
}
