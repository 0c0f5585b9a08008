/** How far a log was read: which of its files (a rename leaves it its inode), and how much of that. */
export interface LogPosition {
  /** `null` before there was a file. */
  readonly inode: number | null;
  /** Bytes. */
  readonly offset: number;
}
