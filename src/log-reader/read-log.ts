import { isErrno, ProcessmasterError } from '../lib/errors.ts';
import { findPosition } from './find-position.ts';
import { HEAD_BYTES, type LogPosition, positionIn } from './log-position.ts';
import type { OpenSegments } from './open-segments.ts';
import { openSegment } from './segment-bytes.ts';
import { listSegments, type Segment } from './segments.ts';

export interface ReadOptions {
  /** Files that were begun after this wall time are left out. */
  readonly untilMs: number | null;
  /** Also the beginning of a line whose end was not written yet. */
  readonly toTheEnd: boolean;
}

/** What stands in a log after a position. */
export interface LogPiece {
  /** Whole lines, but for a line that is longer than a piece, or the end of what there is. */
  readonly text: string;
  /** Where to read on. */
  readonly position: LogPosition;
  /** When the file that it is from was last written to; null without one. */
  readonly modified_ms: number | null;
  /** There was no more. */
  readonly at_end: boolean;
  /** Something before it may be missing: files were emptied, replaced or removed meanwhile. */
  readonly gap: boolean;
}

export const PIECE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
/** A rotation renames the files that we have just looked at. */
const MOST_ATTEMPTS = 50;

/**
 * Reads on in a log of any size, backups first, over rotations and compression: nothing left out and
 * nothing twice. Memory is bounded by the piece.
 * @throws ProcessmasterError when a file is there and cannot (or must not) be read
 */
export async function readLog(
  kept: OpenSegments,
  path: string,
  position: LogPosition,
  options: ReadOptions,
): Promise<LogPiece> {
  return steady(() => readOnce(kept, path, position, options));
}

/** Does it again while the files are being renamed. */
export async function steady<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      const isMoved =
        isErrno(error, 'ENOENT') ||
        (error instanceof ProcessmasterError && error.code === 'conflict');
      if (!isMoved || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

async function readOnce(
  kept: OpenSegments,
  path: string,
  position: LogPosition,
  options: ReadOptions,
): Promise<LogPiece> {
  const segments = listSegments(path);
  const found = await findPosition(segments, position);
  let piece = nothingAt(position, found.isGap && found.index < segments.length);
  let { offset } = found;
  for (const segment of segments.slice(found.index)) {
    if (options.untilMs !== null && segment.beginsAtMs > options.untilMs) {
      return { ...piece, at_end: true };
    }
    const read = await readPiece(kept, segment, offset, options);
    piece = { ...piece, ...read, at_end: false };
    if (read.text !== '') return piece;
    offset = 0;
  }
  return { ...piece, at_end: true };
}

function nothingAt(position: LogPosition, gap: boolean): LogPiece {
  return { text: '', position, modified_ms: null, at_end: true, gap };
}

async function readPiece(
  kept: OpenSegments,
  segment: Segment,
  offset: number,
  { toTheEnd }: ReadOptions,
): Promise<Pick<LogPiece, 'text' | 'position' | 'modified_ms'>> {
  const { bytes, ...read } = await kept.use(segment, offset, async (open) => {
    const found = await open.read(offset, PIECE_BYTES);
    const whole = found.subarray(0, wholeLines(found, toTheEnd || !segment.isLive));
    const head = offset === 0 ? found : await headOf(segment);
    return { bytes: whole, head, offset: offset + found.length };
  });
  const position = positionIn(segment, offset + bytes.length, read.head);
  return { text: bytes.toString('utf8'), position, modified_ms: segment.modifiedAtMs };
}

async function headOf(segment: Segment): Promise<Buffer> {
  const open = openSegment(segment);
  try {
    return await open.read(0, HEAD_BYTES);
  } finally {
    open.close();
  }
}

/** How many bytes are whole lines; all where no more is to come, or a line is longer than a piece. */
function wholeLines(bytes: Buffer, toTheEnd: boolean): number {
  const isFull = bytes.length === PIECE_BYTES;
  if (toTheEnd && !isFull) return bytes.length;
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  return end === 0 && isFull ? bytes.length : end;
}
