import type { Clock, Instant } from '../../src/lib/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A clock that only moves when a test moves it. Both times move together unless told otherwise. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 1_000_000;
  readonly #timers = new Set<Timer>();

  constructor(wallMs = Date.UTC(2026, 0, 15, 12, 0, 0)) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  now(): Instant {
    return { wallMs: this.#wallMs, monotonicMs: this.#monotonicMs };
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + Math.max(delayMs, 0), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Monotonic time of the next timer, or null. */
  nextTimerMs(): number | null {
    const due = [...this.#timers].map((timer) => timer.dueMs);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Moves both clocks on and fires what became due, in order. */
  advance(byMs: number): void {
    const targetMs = this.#monotonicMs + byMs;
    for (;;) {
      const due = [...this.#timers]
        .filter((timer) => timer.dueMs <= targetMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#moveTo(Math.max(due.dueMs, this.#monotonicMs));
      this.#timers.delete(due);
      due.callback();
    }
    this.#moveTo(targetMs);
  }

  /** Steps the wall clock only, as an administrator or NTP would. */
  stepWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Time passes without anybody running: timers are as late as they will be, none fires by itself. */
  oversleep(byMs: number): void {
    this.#moveTo(this.#monotonicMs + byMs);
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}
