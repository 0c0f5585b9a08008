import { HEAD_BYTES, hasHead, type LogPosition } from './log-position.ts';
import { openSegment } from './segment-bytes.ts';
import type { Segment } from './segments.ts';

/** Where a position is now. */
export interface Found {
  /** In the list of segments; behind its end when nothing came after the position. */
  readonly index: number;
  readonly offset: number;
  /** Its file was emptied, replaced or removed: what it had after the position is not known. */
  readonly isGap: boolean;
}

/** Times of a compressed file are rounded. */
const ROUNDING_MS = 0.01;

/**
 * Finds the file that a position was in, also after it was put aside or compressed.
 * @throws ProcessmasterError see {@link openSegment}
 */
export async function findPosition(
  segments: readonly Segment[],
  position: LogPosition,
): Promise<Found> {
  if (position.inode === 0) return { index: 0, offset: 0, isGap: false };
  let [inTime, sameInode] = [-1, -1];
  for (const [index, segment] of segments.entries()) {
    const isSame = segment.inode === position.inode;
    const isInTime = couldBe(segment, position);
    if (!(isSame || isInTime) || !(await holds(segment, position))) continue;
    if (isInTime && (isSame || inTime === -1)) inTime = index;
    if (isSame) sameInode = index;
  }
  // Where the clock was set, the inode and the beginning have to do.
  const index = inTime === -1 ? sameInode : inTime;
  if (index !== -1) return { index, offset: position.offset, isGap: false };
  const next = segments.findIndex((one) => one.isLive || one.modifiedAtMs > position.modified_ms);
  return { index: next === -1 ? segments.length : next, offset: 0, isGap: true };
}

/** Whether it was written to at the position's time: before it there was another one. */
function couldBe({ modifiedAtMs, beginsAtMs }: Segment, { modified_ms }: LogPosition): boolean {
  return modifiedAtMs >= modified_ms - ROUNDING_MS && beginsAtMs <= modified_ms + ROUNDING_MS;
}

async function holds(segment: Segment, position: LogPosition): Promise<boolean> {
  if (!segment.isCompressed && segment.bytes < position.offset) return false;
  const open = openSegment(segment);
  try {
    return hasHead(position, await open.read(0, HEAD_BYTES));
  } finally {
    open.close();
  }
}
