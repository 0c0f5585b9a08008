import { findPosition } from './find-position.ts';
import { endOf } from './find-start.ts';
import { HEAD_BYTES, type LogPosition, positionIn } from './log-position.ts';
import { PIECE_BYTES, steady } from './read-log.ts';
import { type OpenSegment, openSegment } from './segment-bytes.ts';
import { listSegments, type Segment } from './segments.ts';

/** What stands in a log before a position. */
export interface PieceBefore {
  /** Whole lines, but for a line that is longer than a piece. */
  readonly text: string;
  /** Where it begins: what is before that is read on from there. */
  readonly position: LogPosition;
  /** There was nothing more. */
  readonly at_start: boolean;
  /** The position's file was emptied, replaced or removed: this is what was before it, as far as that is known. */
  readonly gap: boolean;
}

const NEWLINE = 0x0a;

/**
 * Reads back in a log of any size, from the newest file to the oldest backup: nothing left out and
 * nothing twice. Memory is bounded by the piece; of a compressed file, all before the position is
 * decompressed each time.
 * @throws ProcessmasterError when a file is there and cannot (or must not) be read
 */
export async function readLogBefore(path: string, position: LogPosition): Promise<PieceBefore> {
  return steady(async () => {
    const segments = listSegments(path);
    const { index, offset, isGap } = await findPosition(segments, position);
    const here = segments[index];
    if (here !== undefined && offset > 0) {
      return { ...(await pieceBefore(here, offset)), at_start: false, gap: isGap };
    }
    const before = segments.slice(0, index).at(-1);
    if (before === undefined) return { text: '', position, at_start: true, gap: isGap };
    return { ...(await pieceBefore(before, null)), at_start: false, gap: isGap };
  });
}

/** The last whole lines of a file before an offset; null is its end. */
async function pieceBefore(
  segment: Segment,
  offset: number | null,
): Promise<Pick<PieceBefore, 'text' | 'position'>> {
  const open = openSegment(segment);
  try {
    const end = offset ?? (await endOf(open, segment));
    const bytes = await wholeLinesBefore(open, end);
    // Last, as what is compressed is read from its beginning for it.
    const head = await open.read(0, HEAD_BYTES);
    return {
      text: bytes.toString('utf8'),
      position: positionIn(segment, end - bytes.length, head),
    };
  } finally {
    open.close();
  }
}

async function wholeLinesBefore(open: OpenSegment, end: number): Promise<Buffer> {
  const start = Math.max(end - PIECE_BYTES, 0);
  const bytes = await open.read(start, end - start);
  if (start === 0) return bytes;
  // The newline at the very end ends the last line and begins none.
  const cut = bytes.subarray(0, -1).indexOf(NEWLINE) + 1;
  return bytes.subarray(cut);
}
