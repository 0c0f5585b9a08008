/** What making room for one more backup takes, in this order. */
export interface Shift {
  /** Backups that are one too many. */
  readonly remove: readonly number[];
  /** Each into a number that is free by then, so a crash in between leaves a gap and no loss. */
  readonly moves: readonly { readonly from: number; readonly to: number }[];
  /** The number that is free at the end; null when no backup is to be kept. */
  readonly newest: number | null;
}

/**
 * Makes 1 (or the first number that is nobody else's) free, so that at most `keep` backups are left
 * with the one to come. The first gap, as a crash leaves it, takes up the shift. Pure.
 *
 * @param backups  their numbers, ascending: the higher, the older
 * @param taken  numbers of what is no backup of ours and stays where it is
 */
export function shiftFor(
  backups: readonly number[],
  taken: ReadonlySet<number>,
  keep: number,
): Shift {
  if (keep === 0) return { remove: backups.toReversed(), moves: [], newest: null };
  const remove = backups.slice(keep - 1).toReversed();
  const left = new Set(backups.slice(0, keep - 1));
  const moves: { from: number; to: number }[] = [];
  const newest = nextAfter(0, taken);
  let free = newest;
  while (left.has(free)) {
    const to = nextAfter(free, taken);
    moves.unshift({ from: free, to });
    free = to;
  }
  return { remove, moves, newest };
}

function nextAfter(number: number, taken: ReadonlySet<number>): number {
  let next = number + 1;
  while (taken.has(next)) next += 1;
  return next;
}
