import type { Clock } from '../lib/clock.ts';

/** So long the event loop may be kept from everything else by passes that never wait. */
const SLICE_MS = 20;

/** Pieces of work follow each other faster, unless the loop has turned in between. */
const GAP_MS = 1;

/**
 * Cuts a long row of short pieces of work into slices, between which everything else has its turn:
 * what never waits for anything runs to its end otherwise, however much of it there is.
 *
 * INVARIANTS: a piece of work that comes alone is never held up; at most one timer, and none while
 * nothing is to be done.
 */
export class TimeSlices {
  readonly #clock: Clock;
  #sliceStartedMs = Number.NEGATIVE_INFINITY;
  #lastEndedMs = Number.NEGATIVE_INFINITY;
  #pause: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be awaited before each piece of work: resolves when it may begin. */
  async begin(): Promise<void> {
    if (this.#pause === null && this.#isOver()) this.#pause = this.#turn();
    if (this.#pause !== null) await this.#pause;
  }

  /** To be called after each piece of work. */
  end(): void {
    this.#lastEndedMs = this.#clock.monotonicMs();
  }

  #isOver(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastEndedMs > GAP_MS) this.#sliceStartedMs = nowMs;
    return nowMs - this.#sliceStartedMs >= SLICE_MS;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.schedule(0, () => {
        this.#pause = null;
        this.#sliceStartedMs = this.#clock.monotonicMs();
        this.#lastEndedMs = this.#sliceStartedMs;
        resolve();
      });
    });
  }
}
