import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../reconciler/store.ts';

/** So many changes of statuses are a burst: definitions were parsed, processes launched. */
const BURST = 100;
/** A burst is over when nothing has changed for this long. */
const QUIET_MS = 5_000;

/**
 * Gives back what a burst has left. V8 keeps the pages of a heap that has grown until something
 * makes it look again, and nothing does in a daemon that is idle from then on: at 1,000 services a
 * third of its private memory. The result ends that.
 */
export function trimMemoryAfterBursts(
  store: Store,
  clock: Clock,
  collect: () => void = collectGarbage,
): () => void {
  // The daemon's own start is a burst, however few services there are.
  let trimmedAtRevision = store.revision - BURST;
  let cancel = () => {};
  const leave = store.subscribe(() => {
    if (store.revision - trimmedAtRevision < BURST) return;
    cancel();
    cancel = clock.schedule(QUIET_MS, () => {
      trimmedAtRevision = store.revision;
      collect();
    });
  });
  return () => {
    leave();
    cancel();
  };
}

type CollectGarbage = (options: {
  readonly type: 'major';
  readonly execution: 'sync';
  readonly flavor: 'last-resort';
}) => void;

/**
 * A full collection that also releases pooled pages (the only kind that does). About 50 ms for 20 MB.
 */
export function collectGarbage(): void {
  // Set for a moment only: a function that is there for everybody would be used by somebody.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as CollectGarbage;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
