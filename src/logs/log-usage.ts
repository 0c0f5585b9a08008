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
  let over = bytesOf(usages) - maxBytes;
  if (over <= 0) return [];
  const candidates = usages
    .flatMap(({ path, backups }) => backups.map((backup) => ({ path, backup })))
    .toSorted((a, b) => byAge(a.backup, b.backup));
  return candidates.filter(({ backup }) => {
    const isExcess = over > 0;
    over -= isExcess ? backup.bytes : 0;
    return isExcess;
  });
}

/** What all of them take. */
function bytesOf(usages: readonly LogUsage[]): number {
  return usages.reduce(
    (sum, { liveBytes, backups }) =>
      backups.reduce((inner, { bytes }) => inner + bytes, sum + liveBytes),
    0,
  );
}

/** Of one file the higher number is the older one, also where times are equal. */
function byAge(a: Backup, b: Backup): number {
  return a.modifiedAtMs - b.modifiedAtMs || b.number - a.number;
}
