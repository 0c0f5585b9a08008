import type { Clock } from '../lib/clock.ts';

/** Calls `look` again and again, `delayMs()` apart; the result ends that. The clock caps its timers. */
export function every(clock: Clock, delayMs: () => number, look: () => void): () => void {
  let cancel = () => {};
  const wait = (untilMs: number) => {
    cancel = clock.schedule(untilMs - clock.monotonicMs(), () => {
      if (clock.monotonicMs() < untilMs) return wait(untilMs);
      look();
      wait(clock.monotonicMs() + delayMs());
    });
  };
  wait(clock.monotonicMs() + delayMs());
  return () => cancel();
}
