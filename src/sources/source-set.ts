import { type Clock, readInstant } from '../lib/clock.ts';
import type { DesiredState, SourceContent } from '../model/desired.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec, SourceId } from '../model/service-spec.ts';
import type { Source } from './config-directory.ts';
import { merge } from './merge.ts';
import { SETTLE_MS } from './settled-files.ts';
import { watchDirectory } from './watched-directory.ts';

/** Signals are for speed; this is how often the truth is read without any. */
const RESCAN_MS = 60_000;

/** A source and how its folder is watched. */
export interface WatchedSource {
  readonly source: Source;
  readonly path: string;
  readonly depth: 0 | 1;
  readonly concerns: (fileName: string) => boolean;
}

export interface SourceSetPorts {
  readonly clock: Clock;
  /** Specs of runs that an earlier daemon left: see `MergeOptions.baseline`. */
  readonly baseline: ReadonlyMap<ServiceName, AcceptedSpec>;
  /** Told the complete desired state after every reading. */
  readonly onDesired: (desired: DesiredState) => void;
  /** A source cannot be read (a reason) or can be read again (null). */
  readonly onAvailability: (source: SourceId, reason: string | null) => void;
  /** Changes in a folder are not signalled any more; the rescan finds them. */
  readonly onDegraded: (source: SourceId, reason: string) => void;
}

/**
 * All sources together: watched, rescanned, merged.
 *
 * INVARIANTS: every reading covers all sources, so the desired state handed on is always complete; a
 * pass over unchanged content hands on the same services.
 */
export class SourceSet {
  readonly #sources: readonly WatchedSource[];
  readonly #ports: SourceSetPorts;
  readonly #unavailable = new Map<SourceId, string>();
  #desired: DesiredState | null = null;
  #watchers: readonly { close(): Promise<void> }[] = [];
  #cancelRescan: () => void = () => {};
  #closed = false;

  constructor(sources: readonly WatchedSource[], ports: SourceSetPorts) {
    this.#sources = sources;
    this.#ports = ports;
  }

  /** Reads everything once, as it is, then goes on watching. */
  start(): void {
    this.read({ settled: true });
    this.#watchers = this.#sources.map(({ source, path, depth, concerns }) =>
      watchDirectory(path, {
        settleMs: SETTLE_MS,
        depth,
        concerns,
        clock: this.#ports.clock,
        onSettled: () => this.read({ settled: false }),
        onDegraded: (reason) => this.#ports.onDegraded(source.id, reason),
      }),
    );
  }

  /**
   * Reads all sources and hands on the merged result. `settled: true` takes every file as it is now;
   * `prune` confirms that what is gone is meant to be gone.
   */
  read({
    settled,
    prune = false,
  }: {
    readonly settled: boolean;
    readonly prune?: boolean;
  }): DesiredState {
    const contents = new Map<SourceId, SourceContent>();
    let againAfterMs = RESCAN_MS;
    for (const { source } of this.#sources) {
      const reading = source.read(readInstant(this.#ports.clock), { settled });
      contents.set(source.id, reading.content);
      againAfterMs = Math.min(againAfterMs, reading.lookAgainAfterMs ?? RESCAN_MS);
      this.#noteAvailability(source.id, reading.content);
    }
    const desired = merge(this.#desired, contents, { prune, baseline: this.#ports.baseline });
    this.#desired = desired;
    this.#rescanAfter(againAfterMs);
    this.#ports.onDesired(desired);
    return desired;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRescan();
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
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
        this.#ports.clock.monotonicMs() >= dueMs ? this.read({ settled: false }) : arm(),
      );
    };
    arm();
  }
}
