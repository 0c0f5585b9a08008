/** The one seam to time. Wall time is for people and cron; monotonic time is for every duration. */
export interface Clock {
  /** Milliseconds since the epoch; may step in either direction. */
  wallMs(): number;
  /**
   * Milliseconds on CLOCK_MONOTONIC: never steps, shared by all processes since the host's boot, so
   * a value written down by one daemon can be read by the next.
   */
  monotonicMs(): number;
  /**
   * Calls `callback` once after `delayMs` (capped at {@link MAX_TIMER_MS}), after 0 in the next turn of
   * the event loop; the result cancels it.
   */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** Both clocks read at one moment: what the pure parts get instead of a clock. */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/**
 * Timers are re-armed at least this often. Node turns a delay of 2³¹ ms or more into 1 ms, and a
 * timer that sleeps through a suspend or a clock step must soon look at the clock again.
 */
const MAX_TIMER_MS = 30_000;

/** The real clocks of this host. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000n) / 1_000,
  schedule: (delayMs, callback) => {
    if (delayMs <= 0) {
      // Timers that are due run one after the other: what yields to all else must come after those.
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Reads both clocks. */
export function readInstant(clock: Pick<Clock, 'wallMs' | 'monotonicMs'>): Instant {
  return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
}
