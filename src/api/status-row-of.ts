import type { Instant } from '../lib/clock.ts';
import {
  describeExit,
  hasActiveRun,
  type Run,
  type RunEnd,
  recentRestarts,
} from '../model/history.ts';
import { endsAtWallMs } from '../model/intent.ts';
import { jobBounds } from '../model/job-bounds.ts';
import type { JobProgress } from '../model/job-progress.ts';
import type { JobSpec } from '../model/service-spec.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { UserFlag } from '../model/user-flag.ts';
import type { BriefRow, StatusRow } from '../rpc/status-row.ts';
import { systemFlags } from './system-flags.ts';

/** What a table shows of one service. Pure. */
export function briefRowOf(
  status: ServiceStatus,
  userFlags: readonly UserFlag[],
  now: Instant,
): BriefRow {
  const { cgroup, history } = status;
  return {
    application: status.name,
    phase: status.phase,
    conditions: status.conditions,
    pids: cgroup.kind === 'populated' ? cgroup.pids : [],
    uptime_ms: uptimeMs(status, now),
    restarts_10m: recentRestarts(history, now.monotonicMs),
    user_flags: userFlags.map(({ name }) => name),
    next_start_in_ms: nextStartInMs(status, now.monotonicMs),
    last_exit: exitRow(history.runEnd ?? history.previousEnd),
    next_slot_ms: nextSlotMs(status),
    last_outcome: lastOutcome(history.job),
  };
}

type ProvisioningKey = keyof StatusRow & `provisioning_${string}`;

/** The row that people and machines see of one service. Pure. */
export function statusRowOf(
  status: ServiceStatus,
  userFlags: readonly UserFlag[],
  now: Instant,
): Omit<StatusRow, ProvisioningKey> {
  const { desired, cgroup, history } = status;
  const accepted = desired?.accepted ?? null;
  const spec = accepted?.spec ?? null;
  const active = activeRun(status);
  const brief = briefRowOf(status, userFlags, now);
  const stop = status.intent?.want === 'stop' ? status.intent : null;
  return {
    ...brief,
    description: spec?.description ?? '',
    labels: spec?.labels ?? {},
    enabled: spec?.enabled ?? false,
    running: cgroup.kind === 'populated',
    actual: actualOf(status),
    system_flags: systemFlags(status),
    user_flag_expires_at_ms: Object.fromEntries(
      userFlags.map(({ name, expiresAtMs }) => [name, expiresAtMs]),
    ),
    pid_uptimes_ms: [],
    main_pid: active && (history.main?.pid ?? null),
    main_pid_gone: status.conditions.some(({ type }) => type === 'MainProcessGone'),
    run: history.run?.number ?? null,
    generation: accepted?.generation ?? null,
    source_file: accepted?.sourceFile ?? troubleFile(status),
    working_directory: spec?.workingDirectory ?? null,
    started_at_ms: active?.launchedAt.wallMs ?? null,
    last_run_at_ms: history.run?.launchedAt.wallMs ?? null,
    last_exit_code: brief.last_exit?.code ?? null,
    stopped_by: stop?.actor ?? null,
    stopped_reason: stop?.reason ?? null,
    stopped_until_ms: stop && endsAtWallMs(stop, now),
    ...scheduleOf(spec?.job ?? null),
    detail: null,
  };
}

function scheduleOf(job: JobSpec | null) {
  const bounds = job === null ? null : jobBounds(job);
  return {
    schedule: job?.schedule ?? null,
    schedule_not_before_ms: bounds?.notBeforeMs ?? null,
    schedule_not_after_ms: bounds?.notAfterMs ?? null,
    schedule_max_time_per_run_ms: job?.maxTimePerRunMs ?? null,
  };
}

/** A job that is stopped or disabled has slots, too; none of them is run. */
function nextSlotMs({ conditions, history }: ServiceStatus): number | null {
  const isScheduled = conditions.some(({ type }) => type === 'Scheduled');
  return isScheduled ? (history.job?.nextSlotMs ?? null) : null;
}

/** Of the newest run or the newest slot, whichever came later. */
function lastOutcome(job: JobProgress | null): string | null {
  if (job === null) return null;
  const { last, lastRun } = job;
  const isSlotNewer = last !== null && (lastRun === null || last.lastSlotMs > lastRun.atMs);
  return (isSlotNewer ? last.outcome : lastRun?.outcome) ?? null;
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

function activeRun({ history, cgroup }: ServiceStatus): Run | null {
  return hasActiveRun(history) && cgroup.kind === 'populated' ? history.run : null;
}

function uptimeMs(status: ServiceStatus, now: Instant): number | null {
  const active = activeRun(status);
  return active && Math.max(Math.round(now.monotonicMs - active.launchedAt.monotonicMs), 0);
}

function exitRow(end: RunEnd | null): BriefRow['last_exit'] {
  if (end === null) return null;
  const { exit, at } = end;
  return {
    kind: exit.kind,
    code: exit.kind === 'exited' ? exit.code : null,
    signal: exit.kind === 'signaled' ? exit.signal : null,
    message: describeExit(exit),
    at_ms: at.wallMs,
  };
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

function nextStartInMs(
  { history, phase, conditions }: ServiceStatus,
  nowMs: number,
): number | null {
  if (phase !== 'BACKOFF') return null;
  const isUnprovisioned = conditions.some(({ type }) => type === 'ProvisioningFailed');
  const dueMs = isUnprovisioned
    ? (history.provisioning?.nextTryMonotonicMs ?? null)
    : history.nextStartMonotonicMs;
  return dueMs === null ? null : Math.max(Math.round(dueMs - nowMs), 0);
}
