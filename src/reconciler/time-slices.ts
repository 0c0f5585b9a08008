import type { Clock } from '../lib/clock.ts';

/** So long the event loop may be kept from everything else by passes that never wait. */
const SLICE_MS = 5;

/**
 * Cuts a long row of short pieces of work into slices, between which everything else has its turn:
 * what never waits for anything runs to its end otherwise, however much of it there is.
 *
 * INVARIANTS: a slice ends with the turn of the event loop that it began in; a piece of work that comes
 * alone is never held up; at most one timer, and none while nothing is done.
 */
export class TimeSlices {
  readonly #clock: Clock;
  /** Of this turn; `null` while nothing was done in it. */
  #startedMs: number | null = null;
  /** The end of this turn, for urgent work and for the rest: who is woken first is first. */
  #urgent: Promise<void> = Promise.resolve();
  #others: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does a piece of work when it is its turn; urgent work goes before what waits already. */
  async run(work: () => Promise<void>, isUrgent = false): Promise<void> {
    // Looked at right before the work, and again after each wait: all who waited are woken at once.
    while (!this.#isTimeLeft()) await (isUrgent ? this.#urgent : this.#others);
    return work();
  }

  #isTimeLeft(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#startedMs === null) this.#startSlice(nowMs);
    return this.#startedMs === null || nowMs - this.#startedMs < SLICE_MS;
  }

  #startSlice(nowMs: number): void {
    this.#startedMs = nowMs;
    const urgent = Promise.withResolvers<void>();
    const others = Promise.withResolvers<void>();
    this.#urgent = urgent.promise;
    this.#others = others.promise;
    this.#clock.schedule(0, () => {
      this.#startedMs = null;
      urgent.resolve();
      others.resolve();
    });
  }
}
