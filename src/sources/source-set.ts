import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, readInstant } from '../lib/clock.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { ApplyMode } from '../model/daemon-config.ts';
import { adoptedState, type DesiredState, type SourceContent } from '../model/desired.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec, SourceId } from '../model/service-spec.ts';
import type { Source, SourceReading } from './config-directory.ts';
import type { FileWish } from './file-wish.ts';
import { holdBack } from './hold-back.ts';
import { merge } from './merge.ts';
import { SETTLE_MS } from './settled-files.ts';
import { watchDirectory } from './watched-directory.ts';

/** Signals are for speed; this is how often the truth is read without any. */
const RESCAN_MS = 60_000;

/** So long the loop may be kept from everything else by files that are read. */
const SLICE_MS = 20;

/** Somebody who never stops writing files does not keep those that are read from being used. */
const MAX_ROUNDS = 10;

const NOBODY: ReadonlySet<ServiceName> = new Set();

/** A source and how its folder is watched. */
export interface WatchedSource {
  readonly source: Source;
  readonly path: string;
  readonly depth: 0 | 1;
  readonly concerns: (fileName: string) => boolean;
}

export interface SourceSetPorts {
  readonly clock: Clock;
  /** `manual`: changes wait for a reading that applies them. */
  readonly apply: ApplyMode;
  /** Told the complete desired state after every reading. */
  readonly onDesired: (desired: DesiredState) => void;
  /**
   * Given all that is wished for at the moment (by the one source that may), `eager` when somebody
   * waits for it. Gives the folders in which something was written. Left out, nothing is.
   */
  readonly fulfil?: (wishes: readonly FileWish[], eager: boolean) => ReadonlySet<string>;
  /** A source cannot be read (a reason) or can be read again (null). */
  readonly onAvailability: (source: SourceId, reason: string | null) => void;
  /** Changes in a folder are not signalled any more; the rescan finds them. */
  readonly onDegraded: (source: SourceId, reason: string) => void;
}

/** What earlier daemons had in force. */
export interface Inheritance {
  /** See `MergeOptions.baseline`. */
  readonly baseline: ReadonlyMap<ServiceName, AcceptedSpec>;
  /** Whose changes the first reading applies, whatever the mode: nothing is known to go on with. */
  readonly unknown: Applied;
}

/** Whose changes are applied. */
export type Applied = 'all' | ReadonlySet<ServiceName>;

export interface ReadingOptions {
  /** Takes every file as it is now. */
  readonly settled: boolean;
  /** Confirms that what is gone is meant to be gone. */
  readonly prune?: boolean;
  /** Whose changes do not wait; with `apply: auto` nobody's do anyway. */
  readonly apply?: Applied;
}

/**
 * All sources together: watched, rescanned, merged.
 *
 * INVARIANTS: every reading covers all sources, so the desired state handed on is always complete; a
 * pass over unchanged content hands on the same services; one reading at a time, and what is
 * concluded from it is concluded from one uninterrupted look at everything.
 */
export class SourceSet {
  readonly #sources: readonly WatchedSource[];
  readonly #ports: SourceSetPorts;
  readonly #unavailable = new Map<SourceId, string>();
  #inherited: Inheritance | null;
  #desired: DesiredState | null = null;
  #watchers: readonly { close(): Promise<void> }[] = [];
  #cancelRescan: () => void = () => {};
  /** Settles when no reading is under way any more. */
  #readings: Promise<unknown> = Promise.resolve();
  #isLookDue = false;
  #closed = false;

  constructor(sources: readonly WatchedSource[], inherited: Inheritance, ports: SourceSetPorts) {
    this.#sources = sources;
    this.#inherited = inherited;
    this.#ports = ports;
  }

  /**
   * Reads everything once, as it is, then goes on watching. Nothing else is done until all of it is
   * read: there is nothing to be done before.
   */
  start(): void {
    this.#conclude({ settled: true, apply: this.#inherited?.unknown ?? NOBODY });
    // From here on the desired state has all of it, and the memory is better used.
    this.#inherited = null;
    this.#watchers = this.#sources.map(({ source, path, depth, concerns }) =>
      watchDirectory(path, {
        settleMs: SETTLE_MS,
        depth,
        concerns,
        clock: this.#ports.clock,
        onSettled: () => this.#look(),
        onDegraded: (reason) => this.#ports.onDegraded(source.id, reason),
      }),
    );
  }

  /**
   * Reads all sources, after the readings that were asked for before, and hands on what is in force
   * by that. Other things go on meanwhile, however many files there are.
   * @throws ProcessmasterError `conflict` once the set is closed
   */
  read(options: ReadingOptions): Promise<DesiredState> {
    const reading = this.#readings.then(async () => {
      await this.#loadAhead(options.settled);
      if (!this.#closed) return this.#conclude(options);
      const why = 'the daemon is ending';
      throw new ProcessmasterError('conflict', `cannot read the definitions: ${why}`);
    });
    this.#readings = reading.catch(() => {});
    return reading;
  }

  /** Something may have changed: reads all of it soon, once for as many signals as there are. */
  #look(): void {
    if (this.#isLookDue || this.#closed) return;
    this.#isLookDue = true;
    this.#readings = this.#readings.then(async () => {
      this.#isLookDue = false;
      await this.#loadAhead(false);
      if (!this.#closed) this.#conclude({ settled: false });
    });
  }

  /** While many files are read, others come to rest: as long as it takes long, there is more of it. */
  async #loadAhead(settled: boolean): Promise<void> {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      if ((await this.#loadInSlices(settled)) === 1 || this.#closed) return;
    }
  }

  /** In how many slices it could be done. */
  async #loadInSlices(settled: boolean): Promise<number> {
    const { clock } = this.#ports;
    let slices = 1;
    let sliceEndsMs = clock.monotonicMs() + SLICE_MS;
    for (const { source } of this.#sources) {
      for (const _step of source.loadAhead(readInstant(clock), { settled })) {
        if (clock.monotonicMs() < sliceEndsMs) continue;
        await nextTurn();
        if (this.#closed) return slices;
        slices += 1;
        sliceEndsMs = clock.monotonicMs() + SLICE_MS;
      }
    }
    return slices;
  }

  #conclude({ settled, prune = false, apply = NOBODY }: ReadingOptions): DesiredState {
    const contents = new Map<SourceId, SourceContent>();
    let againAfterMs = RESCAN_MS;
    for (const { source } of this.#sources) {
      const reading = this.#readOne(source, settled);
      contents.set(source.id, reading.content);
      againAfterMs = Math.min(againAfterMs, reading.lookAgainAfterMs ?? RESCAN_MS);
      this.#noteAvailability(source.id, reading.content);
    }
    const desired = this.#inForce(this.#merged(contents, prune), apply);
    this.#desired = desired;
    this.#rescanAfter(againAfterMs);
    this.#ports.onDesired(desired);
    return desired;
  }

  /** Whether a file of that absolute path is read where it lies. */
  holds(file: string): boolean {
    return this.#sources.some(({ source }) => source.holds(file));
  }

  /**
   * What would be in force if everything were read and applied now, with these texts (by absolute
   * path) in their places. Changes nothing.
   */
  peek({
    prune,
    texts = new Map(),
  }: {
    readonly prune: boolean;
    readonly texts?: ReadonlyMap<string, string>;
  }): DesiredState {
    const contents = this.#sources.map(({ source }) => [source.id, source.peek(texts)] as const);
    return this.#merged(new Map(contents), prune);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRescan();
    await Promise.all([this.#readings, ...this.#watchers.map((watcher) => watcher.close())]);
  }

  #merged(contents: ReadonlyMap<SourceId, SourceContent>, prune: boolean): DesiredState {
    return merge(this.#desired, contents, { prune, baseline: this.#baseline });
  }

  #inForce(candidate: DesiredState, apply: Applied): DesiredState {
    if (this.#ports.apply === 'auto' || apply === 'all') return candidate;
    return holdBack(this.#desired ?? adoptedState(this.#baseline), candidate, (name) =>
      apply.has(name),
    );
  }

  get #baseline(): ReadonlyMap<ServiceName, AcceptedSpec> {
    return this.#inherited?.baseline ?? new Map();
  }

  /** What a source wishes for is there before anything is concluded from what it says. */
  #readOne(source: Source, settled: boolean): SourceReading {
    const now = readInstant(this.#ports.clock);
    const reading = source.read(now, { settled });
    if (reading.wishes === undefined) return reading;
    const written = this.#ports.fulfil?.(reading.wishes, settled) ?? new Set();
    return written.size === 0 ? reading : source.read(now, { settled, written });
  }

  #noteAvailability(source: SourceId, content: SourceContent): void {
    const reason = content.kind === 'unavailable' ? content.reason : null;
    if ((this.#unavailable.get(source) ?? null) === reason) return;
    if (reason === null) this.#unavailable.delete(source);
    else this.#unavailable.set(source, reason);
    this.#ports.onAvailability(source, reason);
  }

  /** The clock caps its timers, so a long wait is made of several. */
  #rescanAfter(delayMs: number): void {
    this.#cancelRescan();
    if (this.#closed) return;
    const dueMs = this.#ports.clock.monotonicMs() + delayMs;
    const arm = () => {
      const leftMs = dueMs - this.#ports.clock.monotonicMs();
      this.#cancelRescan = this.#ports.clock.schedule(leftMs, () =>
        this.#ports.clock.monotonicMs() >= dueMs ? this.#look() : arm(),
      );
    };
    arm();
  }
}
