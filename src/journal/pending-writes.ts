import type { RecordedEvent } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import type { SlotRecord } from '../model/job-progress.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { UserFlag } from '../model/user-flag.ts';
import type { JobRunRecord } from './job-rows.ts';

/** One execution of a service as it is recorded; `null` is not known (yet). */
export interface RunRecord {
  readonly service: ServiceName;
  readonly run: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** How it ended, in the shape that the reconciler uses. */
  readonly exit: unknown;
  readonly reason: string | null;
}

/** An intent in the boot it holds for; `intent` is `null` when it was taken back. */
export interface IntentRecord {
  readonly service: ServiceName;
  readonly bootId: string;
  readonly intent: Intent | null;
}

interface SlotOfJob {
  readonly service: ServiceName;
  readonly slot: SlotRecord;
}

const MAX_ROWS = 1_000;

/**
 * What is not in the file yet: for a moment as a rule, for longer while it cannot be written.
 *
 * INVARIANTS: bounded (the last 1,000 events, runs and slots; one intent, one spec and one set of flags a
 * service, one value a counter), the newest value wins.
 */
export class PendingWrites {
  readonly events: RecordedEvent[] = [];
  readonly runsByKey = new Map<string, RunRecord>();
  readonly intentsByName = new Map<ServiceName, IntentRecord>();
  readonly flagsByName = new Map<ServiceName, readonly UserFlag[]>();
  readonly countersByName = new Map<string, number>();
  /** `null` when the service is not defined any more. */
  readonly specsByName = new Map<ServiceName, AcceptedSpec | null>();
  /** By service and slot. */
  readonly slotsByKey = new Map<string, SlotOfJob>();
  readonly jobRunsByKey = new Map<string, JobRunRecord>();
  /** How far each job is; `null` when it is none any more. */
  readonly progressByName = new Map<ServiceName, unknown>();
  #droppedEvents = 0;

  get isEmpty(): boolean {
    return this.size === 0;
  }

  get size(): number {
    const { events, runsByKey, intentsByName, flagsByName, countersByName, specsByName } = this;
    const { slotsByKey, jobRunsByKey, progressByName } = this;
    const ofJobs = [slotsByKey, jobRunsByKey, progressByName];
    const maps = [runsByKey, intentsByName, flagsByName, countersByName, specsByName, ...ofJobs];
    return maps.reduce((sum, { size }) => sum + size, events.length);
  }

  /** Events that were pushed out by newer ones, and are lost. */
  get droppedEvents(): number {
    return this.#droppedEvents;
  }

  addEvent(event: RecordedEvent): void {
    this.events.push(event);
    if (this.events.length <= MAX_ROWS) return;
    this.events.shift();
    this.#droppedEvents += 1;
  }

  /** Makes the numbers of waiting events larger: the file turned out to hold as many already. */
  renumberEvents(by: number): void {
    this.events.forEach((event, at) => {
      this.events[at] = { ...event, seq: event.seq + by };
    });
  }

  /** The runs of a service that are not in the file, on top of those that are; newest last. */
  withRuns(stored: readonly RunRecord[], service: ServiceName): readonly RunRecord[] {
    const byNumber = new Map(stored.map((record) => [record.run, record]));
    for (const record of this.runsByKey.values()) {
      if (record.service !== service) continue;
      byNumber.set(record.run, mergeRuns(byNumber.get(record.run), record));
    }
    return [...byNumber.values()].sort((a, b) => a.run - b.run);
  }

  /** Adds what is known of a run to what was known. */
  addRun(record: RunRecord): void {
    const key = `${record.service} ${record.run}`;
    this.runsByKey.set(key, mergeRuns(this.runsByKey.get(key), record));
    dropOldest(this.runsByKey);
  }

  addSlot(service: ServiceName, slot: SlotRecord): void {
    this.slotsByKey.set(`${service} ${slot.slotMs}`, { service, slot });
    dropOldest(this.slotsByKey);
  }

  addJobRun(record: JobRunRecord): void {
    this.jobRunsByKey.set(`${record.service} ${record.run}`, record);
    dropOldest(this.jobRunsByKey);
  }

  clear(): void {
    this.events.length = 0;
    this.runsByKey.clear();
    this.intentsByName.clear();
    this.flagsByName.clear();
    this.countersByName.clear();
    this.specsByName.clear();
    this.slotsByKey.clear();
    this.jobRunsByKey.clear();
    this.progressByName.clear();
  }
}

function dropOldest(rows: Map<string, unknown>): void {
  for (const oldest of rows.keys()) {
    if (rows.size <= MAX_ROWS) break;
    rows.delete(oldest);
  }
}

/** A record with what the newer one adds: it knows the end, the older one the start. */
function mergeRuns(older: RunRecord | undefined, newer: RunRecord): RunRecord {
  if (older === undefined) return newer;
  return {
    ...newer,
    startedAtMs: newer.startedAtMs ?? older.startedAtMs,
    endedAtMs: newer.endedAtMs ?? older.endedAtMs,
    exit: newer.exit ?? older.exit,
    reason: newer.reason ?? older.reason,
  };
}
