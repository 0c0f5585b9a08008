import { TimeSlices } from '../host/time-slices.ts';
import { MOST_RINGS, type UsageFiles } from '../journal/usage-files.ts';
import { putRecord, RECORD_BYTES } from '../journal/usage-record.ts';
import { seriesOf } from '../journal/usage-series.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { ServiceName } from '../model/service-name.ts';
import {
  SAMPLE_MS,
  type SampleField,
  sampleNumber,
  type UsageSample,
  type UsageSeries,
} from '../model/usage-sample.ts';
import type { ResourceUsage } from '../observers/resource-usage.ts';
import { usageRates } from '../rpc/usage-rates.ts';
import type { UsageRow } from '../rpc/usage-rows.ts';
import { every } from './every.ts';
import { usageRowOf } from './usage-row-of.ts';

/** So many samples are written together. */
const TOGETHER = 6;
const PRUNE_EACH = 360;

/** Samples that are not written yet, each following the one before. */
interface Unwritten {
  readonly first: number;
  readonly bytes: Buffer;
  count: number;
}

export interface UsageHistoryParts {
  readonly clock: Clock;
  readonly usage: ResourceUsage;
  readonly files: UsageFiles;
  /** What runs now. */
  readonly running: () => readonly { readonly name: ServiceName; readonly run: number | null }[];
  /** The history cannot be written (why), or is written again (`null`). */
  readonly onTrouble: (reason: string | null) => void;
}

/**
 * Keeps what services used over the last day, a sample each ten seconds.
 *
 * INVARIANTS: nothing here throws or holds the event loop up, however many services there are; a daemon
 * that is killed loses a minute at most; a disk that is full costs samples, nothing else.
 */
export class UsageHistory {
  readonly #parts: UsageHistoryParts;
  readonly #slices = new TimeSlices();
  readonly #ending = new AbortController();
  readonly #lastByName = new Map<ServiceName, UsageRow>();
  readonly #unwrittenByName = new Map<ServiceName, Unwritten>();
  #isSampling = false;
  #trouble: { readonly reason: string; readonly sample: number } | null = null;
  #cancel: () => void = () => {};

  constructor(parts: UsageHistoryParts) {
    this.#parts = parts;
  }

  /** What an operator should know: why something is not kept. */
  get warning(): string | null {
    if (this.#trouble !== null) return this.#trouble.reason;
    if (!this.#parts.files.isFull) return null;
    return `what services use is kept of ${MOST_RINGS} services at most`;
  }

  start(): void {
    const { clock } = this.#parts;
    this.#cancel = every(
      clock,
      () => SAMPLE_MS - (clock.wallMs() % SAMPLE_MS),
      () => void this.sample(),
    );
  }

  /** Takes a sample of everything that runs; resolves when all are taken. */
  async sample(): Promise<void> {
    // So slow that the next one is due: then there are fewer.
    if (this.#isSampling) return;
    this.#isSampling = true;
    const { clock, files, running } = this.#parts;
    // What was used in the interval that has just ended.
    const sample = sampleNumber(clock.wallMs() - SAMPLE_MS / 2);
    const slice = this.#slices.join(this.#ending.signal);
    try {
      for (const { name, run } of running()) {
        if (slice.isOver) await slice.next();
        this.#take(name, run, sample);
      }
      if (sample % PRUNE_EACH === 0) this.#try(() => files.prune(clock.wallMs()));
      this.#recover(sample);
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    } finally {
      this.#isSampling = false;
    }
  }

  /** Samples from a number on, `step` to a point. @throws what the system says */
  series(
    name: ServiceName,
    {
      first,
      count,
      step,
    }: { readonly first: number; readonly count: number; readonly step: number },
    fields: readonly SampleField[],
  ): readonly UsageSeries[] {
    this.#write(name);
    return seriesOf(this.#parts.files.read(name, first, count), first, step, fields);
  }

  /** Nothing runs of it any more; what it used stays known. */
  ended(name: ServiceName): void {
    this.#write(name);
    this.#unwrittenByName.delete(name);
    this.#lastByName.delete(name);
    this.#parts.usage.forget(name);
  }

  /** The service is gone for good. */
  forget(name: ServiceName): void {
    this.ended(name);
    this.#try(() => this.#parts.files.remove(name));
  }

  close(): void {
    this.#cancel();
    this.#ending.abort();
    for (const name of this.#unwrittenByName.keys()) this.#write(name);
  }

  #take(name: ServiceName, run: number | null, sample: number): void {
    const reading = this.#parts.usage.glance(name);
    if (reading === null) return;
    const row = usageRowOf(name, run, reading);
    this.#put(name, sample, sampleOf(this.#lastByName.get(name), row));
    this.#lastByName.set(name, row);
  }

  #put(name: ServiceName, sample: number, values: UsageSample): void {
    let unwritten = this.#unwrittenByName.get(name);
    if (unwritten !== undefined && unwritten.first + unwritten.count !== sample) this.#write(name);
    if (unwritten === undefined || unwritten.count === 0) {
      const bytes = unwritten?.bytes ?? Buffer.alloc(TOGETHER * RECORD_BYTES);
      unwritten = { first: sample, bytes, count: 0 };
      this.#unwrittenByName.set(name, unwritten);
    }
    putRecord(unwritten.bytes, unwritten.count * RECORD_BYTES, sample, values);
    unwritten.count += 1;
    if (unwritten.count === TOGETHER) this.#write(name);
  }

  #write(name: ServiceName): void {
    const unwritten = this.#unwrittenByName.get(name);
    if (unwritten === undefined || unwritten.count === 0) return;
    const { first, bytes, count } = unwritten;
    unwritten.count = 0;
    this.#try(() =>
      this.#parts.files.write(name, { first, bytes: bytes.subarray(0, count * RECORD_BYTES) }),
    );
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      const reason = `what services use cannot be kept: ${messageOf(error)}`;
      const sample = sampleNumber(this.#parts.clock.wallMs());
      if (this.#trouble === null) this.#parts.onTrouble(reason);
      this.#trouble = { reason, sample };
    }
  }

  /** When all that runs was written again. */
  #recover(sample: number): void {
    if (this.#trouble === null || sample - this.#trouble.sample <= TOGETHER) return;
    this.#trouble = null;
    this.#parts.onTrouble(null);
  }
}

function sampleOf(before: UsageRow | undefined, row: UsageRow): UsageSample {
  return {
    ...usageRates(before, row),
    memory_bytes: row.memory_bytes,
    memory_working_set_bytes: row.memory_working_set_bytes,
    memory_anon_bytes: row.memory_anon_bytes,
    swap_bytes: row.swap_bytes,
    pids: row.pids,
    cpu_some_percent: row.cpu_pressure?.some_avg10 ?? null,
    cpu_full_percent: row.cpu_pressure?.full_avg10 ?? null,
    memory_some_percent: row.memory_pressure?.some_avg10 ?? null,
    memory_full_percent: row.memory_pressure?.full_avg10 ?? null,
    io_some_percent: row.io_pressure?.some_avg10 ?? null,
    io_full_percent: row.io_pressure?.full_avg10 ?? null,
  };
}
