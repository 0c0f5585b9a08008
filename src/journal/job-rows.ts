import type { SlotOutcome, SlotRecord } from '../model/job-progress.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';
import type { JournalDatabase } from './journal-database.ts';
import { parseJson } from './journal-values.ts';

/** A run of a job, as far as it is more than a run; `null` is not known (yet). */
export interface JobRunRecord {
  readonly service: ServiceName;
  readonly run: number;
  /** The slot that it was for; `null` for a run that an operator began. */
  readonly slotMs: number | null;
  readonly outcome: SlotOutcome | null;
  readonly cpuMs: number | null;
  readonly peakMemoryBytes: number | null;
}

/** Slots of a job, with the last run for them; or a run that an operator began, with no slot. */
export interface JobHistoryRecord {
  readonly service: ServiceName;
  readonly slotMs: number | null;
  readonly lastSlotMs: number | null;
  readonly slots: number | null;
  readonly outcome: SlotOutcome | null;
  readonly reason: string | null;
  readonly run: number | null;
  readonly tries: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** In the shape that the reconciler uses. */
  readonly exit: unknown;
  readonly cpuMs: number | null;
  readonly peakMemoryBytes: number | null;
}

export interface JobHistoryQuery {
  readonly service?: ServiceName;
  readonly sinceMs: number;
  /** Only what went wrong: failed, overtime, missed, lost. */
  readonly failedOnly: boolean;
  readonly limit: number;
}

/** The columns of a {@link JobHistoryRecord}. */
type Row = Readonly<Record<string, unknown>>;

const FAILED = `outcome IN ('failed', 'overtime', 'missed', 'lost')`;

/** Every slot, and every run that was for none. */
const HISTORY = `
  SELECT s.service, s.slot_ms, s.last_slot_ms, s.slots, s.outcome, s.reason, s.run, s.tries,
    r.started_at_ms, r.ended_at_ms, r.exit, j.cpu_ms, j.peak_memory_bytes, s.slot_ms AS at_ms
  FROM slots s
    LEFT JOIN runs r ON r.service = s.service AND r.run = s.run
    LEFT JOIN job_runs j ON j.service = s.service AND j.run = s.run
  UNION ALL
  SELECT j.service, NULL, NULL, NULL, j.outcome, NULL, j.run, 1,
    r.started_at_ms, r.ended_at_ms, r.exit, j.cpu_ms, j.peak_memory_bytes, r.started_at_ms AS at_ms
  FROM job_runs j LEFT JOIN runs r ON r.service = j.service AND r.run = j.run
  WHERE j.slot_ms IS NULL`;

/** Newest last. */
export function selectJobHistory(
  database: JournalDatabase,
  { service, sinceMs, failedOnly, limit }: JobHistoryQuery,
): readonly JobHistoryRecord[] {
  const conditions = ['at_ms >= ?'];
  if (service !== undefined) conditions.push('service = ?');
  if (failedOnly) conditions.push(FAILED);
  const sql = `SELECT * FROM (${HISTORY}) WHERE ${conditions.join(' AND ')}
    ORDER BY at_ms DESC, service DESC LIMIT ?`;
  const values = service === undefined ? [sinceMs, limit] : [sinceMs, service, limit];
  return database
    .all(sql, ...values)
    .flatMap(recordOf)
    .reverse();
}

function recordOf(row: Row): readonly JobHistoryRecord[] {
  const service = parseServiceName(String(row.service));
  if (service === null) return [];
  return [
    {
      service,
      slotMs: numberOrNull(row.slot_ms),
      lastSlotMs: numberOrNull(row.last_slot_ms),
      slots: numberOrNull(row.slots),
      outcome: typeof row.outcome === 'string' ? (row.outcome as SlotOutcome) : null,
      reason: typeof row.reason === 'string' ? row.reason : null,
      run: numberOrNull(row.run),
      tries: Number(row.tries),
      startedAtMs: numberOrNull(row.started_at_ms),
      endedAtMs: numberOrNull(row.ended_at_ms),
      exit: parseJson(row.exit),
      cpuMs: numberOrNull(row.cpu_ms),
      peakMemoryBytes: numberOrNull(row.peak_memory_bytes),
    },
  ];
}

/** The last state of a slot is the one that is kept. */
export function insertSlot(
  database: JournalDatabase,
  service: ServiceName,
  { slotMs, lastSlotMs, slots, outcome, reason, run, tries }: SlotRecord,
): void {
  database.run(
    `INSERT INTO slots (service, slot_ms, last_slot_ms, slots, outcome, reason, run, tries)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (service, slot_ms) DO UPDATE SET
         last_slot_ms = excluded.last_slot_ms, slots = excluded.slots, outcome = excluded.outcome,
         reason = excluded.reason, run = excluded.run, tries = excluded.tries`,
    ...[service, slotMs, lastSlotMs, slots, outcome, reason, run, tries],
  );
}

export function insertJobRun(database: JournalDatabase, record: JobRunRecord): void {
  const { service, run, slotMs, outcome, cpuMs, peakMemoryBytes } = record;
  database.run(
    `INSERT INTO job_runs (service, run, slot_ms, outcome, cpu_ms, peak_memory_bytes)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (service, run) DO UPDATE SET
         outcome = excluded.outcome, cpu_ms = excluded.cpu_ms,
         peak_memory_bytes = excluded.peak_memory_bytes`,
    ...[service, run, slotMs, outcome, cpuMs, peakMemoryBytes],
  );
}

/** `null` forgets how far a job is; its history stays. */
export function keepProgress(
  database: JournalDatabase,
  service: ServiceName,
  progress: unknown,
): void {
  if (progress === null) {
    database.run('DELETE FROM jobs WHERE service = ?', service);
    return;
  }
  database.run(
    `INSERT INTO jobs (service, progress) VALUES (?, ?)
       ON CONFLICT (service) DO UPDATE SET progress = excluded.progress`,
    ...[service, JSON.stringify(progress)],
  );
}

/** How far a job was, as it was kept; `null` when nothing was. */
export function selectProgress(database: JournalDatabase, service: ServiceName): unknown {
  const [row] = database.all('SELECT progress FROM jobs WHERE service = ?', service);
  return row === undefined ? null : parseJson(row.progress);
}

/** Removes what is older, but not how the newest slot and run of each job went. */
export function pruneJobs(database: JournalDatabase, beforeMs: number): void {
  database.run(
    `DELETE FROM slots WHERE last_slot_ms < ? AND outcome IS NOT NULL
       AND slot_ms < (SELECT max(newest.slot_ms) FROM slots newest WHERE newest.service = slots.service)`,
    beforeMs,
  );
  database.run(
    `DELETE FROM job_runs WHERE NOT EXISTS
       (SELECT 1 FROM runs WHERE runs.service = job_runs.service AND runs.run = job_runs.run)`,
  );
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
