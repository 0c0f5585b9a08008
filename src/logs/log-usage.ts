import type { Backup } from './backups.ts';

/** What one log file takes on the disk with its backups. */
export interface LogUsage {
  readonly path: string;
  /** Of the file that is written now. */
  readonly liveBytes: number;
  /** Newest first. */
  readonly backups: readonly Backup[];
}

/** A backup that is one too many. */
export interface Excess {
  readonly path: string;
  readonly backup: Backup;
}

/** The oldest backups whose removal brings all files together within `maxBytes`, oldest first. Pure. */
export function excessOf(usages: readonly LogUsage[], maxBytes: number): readonly Excess[] {
  const excess: Excess[] = [];
  const left = new Map(usages.map((usage) => [usage.path, usage.backups.length]));
  for (let over = bytesOf(usages) - maxBytes; over > 0; ) {
    const oldest = oldestOf(usages, left);
    if (oldest === null) break;
    excess.push(oldest);
    over -= oldest.backup.bytes;
    left.set(oldest.path, (left.get(oldest.path) ?? 0) - 1);
  }
  return excess;
}

/** Of the last one that is left of each file; seldom more than one is asked for, so none is sorted. */
function oldestOf(usages: readonly LogUsage[], left: ReadonlyMap<string, number>): Excess | null {
  let oldest: Excess | null = null;
  for (const { path, backups } of usages) {
    const backup = backups[(left.get(path) ?? 0) - 1];
    if (backup === undefined) continue;
    if (oldest === null || backup.modifiedAtMs < oldest.backup.modifiedAtMs) {
      oldest = { path, backup };
    }
  }
  return oldest;
}

/** What all of them take. */
function bytesOf(usages: readonly LogUsage[]): number {
  return usages.reduce(
    (sum, { liveBytes, backups }) =>
      backups.reduce((inner, { bytes }) => inner + bytes, sum + liveBytes),
    0,
  );
}
