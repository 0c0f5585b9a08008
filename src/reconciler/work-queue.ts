import PQueue from 'p-queue';
import type { Clock } from '../lib/clock.ts';
import type { ServiceName } from '../model/service-name.ts';
import { TimeSlices } from './time-slices.ts';

/**
 * Names that are due. A request is only a name: what happened is read again, not remembered.
 *
 * INVARIANTS: one worker per name at a time; a name added while it is worked on is worked on once
 * more afterwards (no lost update) and only once (no pile); per name at most one timer, the earliest.
 * (client-go util/workqueue/queue.go: the same three sets.)
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #work: (name: ServiceName) => Promise<void>;
  readonly #isUrgent: (name: ServiceName) => boolean;
  readonly #lanes: PQueue;
  readonly #slices: TimeSlices;
  /** Due, not yet taken up. */
  readonly #queued = new Set<ServiceName>();
  readonly #processing = new Set<ServiceName>();
  /** Became due while being processed. */
  readonly #dirty = new Set<ServiceName>();
  readonly #timers = new Map<
    ServiceName,
    { readonly dueMs: number; readonly cancel: () => void }
  >();
  #stopped = false;

  /**
   * `work` must not reject. At most `lanes` names are worked on at once. Names that are urgent when
   * they become due are taken up before others that wait.
   */
  constructor(
    clock: Clock,
    lanes: number,
    work: (name: ServiceName) => Promise<void>,
    isUrgent: (name: ServiceName) => boolean = () => false,
  ) {
    this.#clock = clock;
    this.#work = work;
    this.#isUrgent = isUrgent;
    this.#lanes = new PQueue({ concurrency: lanes });
    this.#slices = new TimeSlices(clock);
  }

  /** Makes a name due now. */
  add(name: ServiceName): void {
    if (this.#stopped) return;
    this.#cancelTimer(name);
    if (this.#processing.has(name)) {
      this.#dirty.add(name);
    } else if (!this.#queued.has(name)) {
      this.#queued.add(name);
      const isUrgent = this.#isUrgent(name);
      const process = () => this.#slices.run(() => this.#process(name), isUrgent);
      void this.#lanes.add(process, { priority: isUrgent ? 1 : 0 });
    }
  }

  /** Makes a name due after `delayMs`, unless something makes it due earlier. */
  addAfter(name: ServiceName, delayMs: number): void {
    if (this.#stopped) return;
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const pending = this.#timers.get(name);
    if (pending !== undefined && pending.dueMs <= dueMs) return;
    pending?.cancel();
    this.#arm(name, dueMs);
  }

  /** When a name becomes due by itself, on the monotonic clock; `null` when no timer is set. */
  dueMs(name: ServiceName): number | null {
    return this.#timers.get(name)?.dueMs ?? null;
  }

  /** Resolves when nothing is due or being worked on; timers may be pending. */
  async idle(): Promise<void> {
    await this.#lanes.onIdle();
  }

  /** Takes up nothing more; what is being worked on is finished. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#lanes.clear();
  }

  async #process(name: ServiceName): Promise<void> {
    if (this.#stopped) return;
    this.#queued.delete(name);
    this.#processing.add(name);
    try {
      await this.#work(name);
    } finally {
      this.#processing.delete(name);
      if (this.#dirty.delete(name)) this.add(name);
    }
  }

  /** The clock caps its timers, so a timer that comes early is set again. */
  #arm(name: ServiceName, dueMs: number): void {
    const fire = () => {
      this.#timers.delete(name);
      if (this.#clock.monotonicMs() >= dueMs) this.add(name);
      else this.#arm(name, dueMs);
    };
    const cancel = this.#clock.schedule(dueMs - this.#clock.monotonicMs(), fire);
    this.#timers.set(name, { dueMs, cancel });
  }

  #cancelTimer(name: ServiceName): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }
}
