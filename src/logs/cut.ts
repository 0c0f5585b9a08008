/** A line that began before its file was full is kept whole for so much more, then it is cut. */
const LONGEST_OVERRUN_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** How far a file is, for {@link cutBeforeRotation}. */
export interface Fill {
  readonly bytes: number;
  /** The size that it is not to exceed; as full as it is when its time is over. */
  readonly limitBytes: number;
  /** Whether it ends in the middle of a line. */
  readonly isMidLine: boolean;
}

/**
 * How many of `bytes` still go into a file before it is rotated (then there are more), or null when
 * all of them do. Lines stay whole; an empty file is never rotated. Pure.
 */
export function cutBeforeRotation(bytes: Buffer, fill: Fill): number | null {
  const room = fill.limitBytes - fill.bytes;
  if (bytes.length <= room) return null;
  const wholeLines = room > 0 ? bytes.lastIndexOf(NEWLINE, room - 1) + 1 : 0;
  if (wholeLines > 0) return wholeLines;
  if (fill.bytes > 0 && !fill.isMidLine) return 0;
  const lineEnd = bytes.indexOf(NEWLINE) + 1;
  if (lineEnd > 0) return lineEnd < bytes.length ? lineEnd : null;
  const most = room + LONGEST_OVERRUN_BYTES;
  return bytes.length <= most ? null : Math.max(most, 0);
}
