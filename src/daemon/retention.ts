import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../lib/clock.ts';
import { every } from './every.ts';

const PRUNE_MS = 3_600_000;
const LOOK_MS = 60_000;
/** So many events since the last time are pruned without waiting for the hour: about a megabyte. */
const MANY_EVENTS = 5_000;

/**
 * Keeps the journal within its age and size: now, every hour, and when it grows fast. The result
 * ends that.
 */
export function keepWithinBounds(journal: Journal, clock: Clock): () => void {
  let prunedAtMs = 0;
  let prunedAtSeq = 0;
  const prune = () => {
    journal.prune(clock.wallMs());
    prunedAtMs = clock.monotonicMs();
    prunedAtSeq = journal.lastSeq;
  };
  prune();
  return every(
    clock,
    () => LOOK_MS,
    () => {
      const isTime = clock.monotonicMs() - prunedAtMs >= PRUNE_MS;
      if (isTime || journal.lastSeq - prunedAtSeq >= MANY_EVENTS) prune();
    },
  );
}
