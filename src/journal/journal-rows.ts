import type { RecordedEvent } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';
import { parseUserFlag, type UserFlag } from '../model/user-flag.ts';
import { insertJobRun, insertSlot, keepProgress, pruneJobs } from './job-rows.ts';
import type { JournalDatabase } from './journal-database.ts';
import { parseData, parseIntent, parseJson } from './journal-values.ts';
import type { PendingWrites, RunRecord } from './pending-writes.ts';
import { keepSpec } from './spec-rows.ts';

export interface EventQuery {
  readonly service?: ServiceName;
  readonly limit: number;
  /** Only events after this one: the oldest of them. Without it the newest of all. */
  readonly afterSeq?: number;
  /** Only events of this wall time or later. */
  readonly sinceMs?: number;
}

type Row = Readonly<Record<string, unknown>>;

/** Puts everything that is pending into the tables, or nothing of it; `durably`: onto the disk. */
export function insertPending(
  database: JournalDatabase,
  pending: PendingWrites,
  { durably }: { readonly durably: boolean },
): void {
  const insert = () => {
    for (const event of pending.events) insertEvent(database, event);
    for (const record of pending.runsByKey.values()) insertRun(database, record);
    for (const [name, value] of pending.countersByName) insertCounter(database, name, value);
    for (const { service, bootId, intent } of pending.intentsByName.values()) {
      insertIntent(database, service, bootId, intent);
    }
    for (const [name, accepted] of pending.specsByName) keepSpec(database, name, accepted);
    for (const { service, slot } of pending.slotsByKey.values())
      insertSlot(database, service, slot);
    for (const record of pending.jobRunsByKey.values()) insertJobRun(database, record);
    for (const [name, progress] of pending.progressByName) keepProgress(database, name, progress);
    for (const [service, flags] of pending.flagsByName) replaceFlags(database, service, flags);
  };
  // One statement is a transaction of its own, and half the work.
  if (durably) database.durably(insert);
  else if (pending.size === 1 && pending.flagsByName.size === 0) insert();
  else database.transaction(insert);
}

/** The highest number an event ever had; it survives the pruning of the event. */
export function lastSeq(database: JournalDatabase): number {
  return database.number(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`) ?? 0;
}

/** Newest last: after a number the oldest `limit` events, else the newest `limit`. */
export function selectEvents(
  database: JournalDatabase,
  { service, limit, afterSeq, sinceMs = 0 }: EventQuery,
): readonly RecordedEvent[] {
  const where = service === undefined ? '' : 'AND service = ?';
  const order = afterSeq === undefined ? 'DESC' : 'ASC';
  const sql = `SELECT * FROM events WHERE seq > ? AND at_ms >= ? ${where} ORDER BY seq ${order} LIMIT ?`;
  const values = [afterSeq ?? 0, sinceMs, ...(service === undefined ? [] : [service])];
  const events = database.all(sql, ...values, Math.max(0, limit)).map(eventOf);
  return afterSeq === undefined ? events.reverse() : events;
}

export function deleteIntentsOfOtherBoots(database: JournalDatabase, bootId: string): void {
  database.run('DELETE FROM intents WHERE boot_id <> ?', bootId);
}

export function selectIntents(
  database: JournalDatabase,
  bootId: string,
): readonly (readonly [ServiceName, Intent])[] {
  const found = database.all('SELECT service, intent FROM intents WHERE boot_id = ?', bootId);
  return found.flatMap((row) => {
    const name = parseServiceName(String(row.service));
    const intent = parseIntent(row.intent);
    return name === null || intent === null ? [] : [[name, intent] as const];
  });
}

/** Flags by service; a row that is none is left out. */
export function selectFlags(
  database: JournalDatabase,
): readonly (readonly [ServiceName, readonly UserFlag[]])[] {
  const byName = new Map<ServiceName, UserFlag[]>();
  for (const row of database.all('SELECT * FROM flags ORDER BY service, flag')) {
    const service = parseServiceName(String(row.service));
    const parsed = parseUserFlag(String(row.flag));
    if (service === null || !parsed.ok) continue;
    const expiresAtMs = numberOrNull(row.expires_at_ms);
    const flag = { name: parsed.value, expiresAtMs, setAtMs: Number(row.set_at_ms) };
    byName.set(service, [...(byName.get(service) ?? []), { ...flag, actor: String(row.actor) }]);
  }
  return [...byName];
}

export function selectCounter(database: JournalDatabase, name: string): number {
  return database.number('SELECT value FROM counters WHERE name = ?', name) ?? 0;
}

export function lastRun(database: JournalDatabase, service: ServiceName): number {
  return database.number('SELECT max(run) FROM runs WHERE service = ?', service) ?? 0;
}

/** The last runs of a service, newest last. */
export function selectRuns(
  database: JournalDatabase,
  service: ServiceName,
  limit: number,
): readonly RunRecord[] {
  const sql = 'SELECT * FROM runs WHERE service = ? ORDER BY run DESC LIMIT ?';
  return database
    .all(sql, service, Math.max(0, limit))
    .map((row) => runOf(row, service))
    .reverse();
}

/** Removes events up to the last one that is too old, and runs but the newest of each service. */
export function pruneByAge(database: JournalDatabase, beforeMs: number): void {
  database.run(
    `DELETE FROM events WHERE seq < coalesce(
       (SELECT seq FROM events WHERE at_ms >= ? ORDER BY seq LIMIT 1), 9223372036854775807)`,
    beforeMs,
  );
  pruneRuns(database, beforeMs);
  pruneJobs(database, beforeMs);
}

function pruneRuns(database: JournalDatabase, beforeMs: number): void {
  database.run(
    `DELETE FROM runs WHERE ended_at_ms < ?
       AND run < (SELECT max(newest.run) FROM runs newest WHERE newest.service = runs.service)`,
    beforeMs,
  );
}

/** Removes the oldest events (and runs that were over by then), a hundred at a time, until the content is below `maxBytes`. */
export function pruneBySize(database: JournalDatabase, maxBytes: number): void {
  while (database.usedBytes() > maxBytes) {
    const untilMs = database.number('SELECT at_ms FROM events ORDER BY seq LIMIT 1 OFFSET 99');
    database.run('DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT 100)');
    if (untilMs === null) break;
    // Runs and slots of jobs are as many as events.
    pruneRuns(database, untilMs);
    pruneJobs(database, untilMs);
  }
  database.shrink();
}

function insertEvent(database: JournalDatabase, event: RecordedEvent): void {
  const { seq, atMs, service, kind, message, actor, data } = event;
  database.run(
    'INSERT INTO events (seq, at_ms, service, kind, message, actor, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[seq, Math.trunc(atMs), service, kind, message, actor, JSON.stringify(data)],
  );
}

function insertRun(database: JournalDatabase, record: RunRecord): void {
  const exit = record.exit === null ? null : (JSON.stringify(record.exit) ?? null);
  database.run(
    `INSERT INTO runs (service, run, started_at_ms, ended_at_ms, exit, reason) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (service, run) DO UPDATE SET
         started_at_ms = coalesce(excluded.started_at_ms, started_at_ms),
         ended_at_ms = coalesce(excluded.ended_at_ms, ended_at_ms),
         exit = coalesce(excluded.exit, exit), reason = coalesce(excluded.reason, reason)`,
    ...[record.service, record.run, wholeMs(record.startedAtMs), wholeMs(record.endedAtMs)],
    ...[exit, record.reason],
  );
}

function insertCounter(database: JournalDatabase, name: string, value: number): void {
  database.run(
    `INSERT INTO counters (name, value) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`,
    ...[name, value],
  );
}

function insertIntent(
  database: JournalDatabase,
  service: ServiceName,
  bootId: string,
  intent: Intent | null,
): void {
  if (intent === null) {
    database.run('DELETE FROM intents WHERE service = ?', service);
    return;
  }
  database.run(
    `INSERT INTO intents (service, boot_id, intent) VALUES (?, ?, ?)
       ON CONFLICT (service) DO UPDATE SET boot_id = excluded.boot_id, intent = excluded.intent`,
    ...[service, bootId, JSON.stringify(intent)],
  );
}

function replaceFlags(
  database: JournalDatabase,
  service: ServiceName,
  flags: readonly UserFlag[],
): void {
  database.run('DELETE FROM flags WHERE service = ?', service);
  for (const { name, expiresAtMs, setAtMs, actor } of flags) {
    database.run(
      'INSERT INTO flags (service, flag, expires_at_ms, set_at_ms, actor) VALUES (?, ?, ?, ?, ?)',
      ...[service, name, wholeMs(expiresAtMs), Math.trunc(setAtMs), actor],
    );
  }
}

function eventOf(row: Row): RecordedEvent {
  return {
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
    service: typeof row.service === 'string' ? parseServiceName(row.service) : null,
    kind: String(row.kind),
    message: String(row.message),
    actor: String(row.actor),
    data: parseData(row.data),
  };
}

function runOf(row: Row, service: ServiceName): RunRecord {
  return {
    service,
    run: Number(row.run),
    startedAtMs: numberOrNull(row.started_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
    exit: parseJson(row.exit),
    reason: typeof row.reason === 'string' ? row.reason : null,
  };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** Columns of whole milliseconds: a monotonic clock's fractions are not kept. */
function wholeMs(value: number | null): number | null {
  return value === null ? null : Math.trunc(value);
}
