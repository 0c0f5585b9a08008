import { crc32 } from 'node:zlib';

/**
 * A place in a log that is rotated while it is read. The inode tells the file as long as it is not
 * compressed, its beginning tells it then (and from another one that got the same inode), and its time
 * where it was when it is gone.
 */
export interface LogPosition {
  /** 0: before everything. */
  readonly inode: number;
  /** In the content, so of a compressed file in what was compressed. */
  readonly offset: number;
  /** When the file was last written to, at the time of the reading. */
  readonly modified_ms: number;
  /** How many of its first bytes were there for {@link head_crc}, at most {@link HEAD_BYTES}. */
  readonly head_bytes: number;
  readonly head_crc: number;
}

export const HEAD_BYTES = 256;

/** Before the first line of the oldest file that is there. */
export const BEGINNING: LogPosition = {
  inode: 0,
  offset: 0,
  modified_ms: 0,
  head_bytes: 0,
  head_crc: 0,
};

/** Whether a file's first bytes are those of the position's file. Pure. */
export function hasHead(position: LogPosition, head: Buffer): boolean {
  const { head_bytes, head_crc } = position;
  return head.length >= head_bytes && crc32(head.subarray(0, head_bytes)) === head_crc;
}

/** The position at an offset of a file. Pure. */
export function positionIn(
  { inode, modifiedAtMs }: { readonly inode: number; readonly modifiedAtMs: number },
  offset: number,
  head: Buffer,
): LogPosition {
  const known = head.subarray(0, HEAD_BYTES);
  return {
    inode,
    offset,
    modified_ms: modifiedAtMs,
    head_bytes: known.length,
    head_crc: crc32(known),
  };
}
