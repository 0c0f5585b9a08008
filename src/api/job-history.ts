import { ProcessmasterError } from '../lib/errors.ts';
import { jobBounds } from '../model/job-bounds.ts';
import { jitterOffsetMs } from '../model/job-jitter.ts';
import { nextSlotMs } from '../model/schedule.ts';
import { parseServiceName } from '../model/service-name.ts';
import { wantedOf } from '../model/state.ts';
import type { ServiceStatus } from '../model/status.ts';
import { hostZone } from '../model/zone-offsets.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { JobHistoryRow, NextSlotRow } from '../rpc/job-rows.ts';
import { statusNamed } from './one-service.ts';
import type { ApiPorts, JobHistoryEntry } from './ports.ts';
import { exitOf } from './run-job.ts';
import { unknownService } from './select.ts';

/**
 * How the slots and runs of jobs went, oldest first; also of a job that is gone, as long as it is kept.
 * @throws ProcessmasterError `not_found` for a name that nothing is known of
 */
export function showHistory(
  ports: ApiPorts,
  { name, since_ms, failed, limit }: ParamsOf<'jobs.history'>,
): ResultOf<'jobs.history'> {
  const bounds = { sinceMs: since_ms ?? 0, failedOnly: failed, limit };
  if (name === null) return { slots: ports.jobHistory(bounds).map(historyRow) };
  const service = parseServiceName(name);
  const slots = service === null ? [] : ports.jobHistory({ ...bounds, service });
  if (slots.length === 0 && (service === null || ports.status(service) === null)) {
    throw unknownService(
      name,
      ports.statuses().map((status) => status.name),
    );
  }
  return { slots: slots.map(historyRow) };
}

function historyRow(entry: JobHistoryEntry): JobHistoryRow {
  const { startedAtMs, endedAtMs, exit } = entry;
  const isTimed = startedAtMs !== null && endedAtMs !== null;
  return {
    application: entry.service,
    slot_ms: entry.slotMs,
    last_slot_ms: entry.lastSlotMs,
    slots: entry.slots,
    outcome: entry.outcome,
    reason: entry.reason,
    run: entry.run,
    tries: entry.tries,
    started_at_ms: startedAtMs,
    ended_at_ms: endedAtMs,
    // The wall clock may have been set back meanwhile.
    duration_ms: isTimed ? Math.max(endedAtMs - startedAtMs, 0) : null,
    exit: exit === null ? null : exitOf(exit),
    cpu_ms: entry.cpuMs,
    peak_memory_bytes: entry.peakMemoryBytes,
  };
}

/**
 * The next slots of one job, or of all jobs together, soonest first.
 * @throws ProcessmasterError `not_found`; `conflict` for a service that is no job
 */
export function showNext(
  ports: ApiPorts,
  { name, limit }: ParamsOf<'jobs.next'>,
): ResultOf<'jobs.next'> {
  const statuses = name === null ? ports.statuses() : [jobNamed(ports, name)];
  const slots = statuses.flatMap((status) => nextSlots(ports, status, limit));
  return { slots: slots.sort((a, b) => a.start_ms - b.start_ms).slice(0, limit) };
}

function jobNamed(ports: ApiPorts, name: string): ServiceStatus {
  const status = statusNamed(ports, name);
  if (status.desired?.accepted?.spec.job) return status;
  const why = 'it is no job, it has no process.schedule';
  throw new ProcessmasterError('conflict', `cannot tell the next slots of '${name}': ${why}`);
}

function nextSlots(ports: ApiPorts, status: ServiceStatus, limit: number): readonly NextSlotRow[] {
  const spec = status.desired?.accepted?.spec;
  const job = spec?.job ?? null;
  if (spec === undefined || job === null) return [];
  const schedule = { cron: job.schedule, timezone: job.timezone ?? hostZone() };
  const bounds = jobBounds(job);
  const offsetMs = jitterOffsetMs(ports.hostId, status.name, job.jitterMs);
  const blocked = whyBlocked(status);
  const rows: NextSlotRow[] = [];
  // Slots before the first that counts are none that anybody waits for.
  const doneMs = status.history.job?.doneUntilMs ?? 0;
  let afterMs = Math.max(doneMs, ports.clock.wallMs() - offsetMs, (bounds.notBeforeMs ?? 1) - 1);
  while (rows.length < limit) {
    const slotMs = nextSlotMs(schedule, afterMs);
    if (slotMs === null || slotMs > (bounds.notAfterMs ?? slotMs)) break;
    rows.push({ application: status.name, slot_ms: slotMs, start_ms: slotMs + offsetMs, blocked });
    afterMs = slotMs;
  }
  return rows;
}

function whyBlocked({ desired, intent }: ServiceStatus): string | null {
  const wanted = wantedOf(desired, intent, false);
  if (wanted.kind === 'stop') return wanted.reason;
  return desired?.accepted?.spec.enabled === false ? 'global.enabled is false' : null;
}
