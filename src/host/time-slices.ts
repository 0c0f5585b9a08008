import { setImmediate as nextTurn } from 'node:timers/promises';

/** A turn of the event loop has one slice at most; a tree of any size is gone through in many. */
const SLICE_MS = 5;

/**
 * Lets long work over many files run beside everything else: whoever takes part works for a slice
 * of time, then lets the event loop and all others have theirs.
 *
 * INVARIANTS: a turn of the loop resumes one participant; they take turns in order.
 */
export class TimeSlices {
  #queue: Promise<void> = Promise.resolve();

  /** Somebody who works; `signal` ends that with its reason. */
  join(signal: AbortSignal): Slice {
    return new Slice(() => this.#turn(), signal);
  }

  #turn(): Promise<void> {
    this.#queue = this.#queue.then(() => nextTurn());
    return this.#queue;
  }
}

/** One participant's share; begins as being over, so that it waits its turn first. */
export class Slice {
  readonly #turn: () => Promise<void>;
  readonly #signal: AbortSignal;
  #endsAtMs = 0;

  constructor(turn: () => Promise<void>, signal: AbortSignal) {
    this.#turn = turn;
    this.#signal = signal;
  }

  get isOver(): boolean {
    return performance.now() >= this.#endsAtMs;
  }

  /** Waits for the next slice. @throws whatever the signal says when it is aborted. */
  async next(): Promise<void> {
    await this.#turn();
    this.#signal.throwIfAborted();
    this.#endsAtMs = performance.now() + SLICE_MS;
  }
}
