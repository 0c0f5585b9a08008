import { closeSync, fstatSync, readSync } from 'node:fs';
import { openForRead } from '../host/safe-open.ts';
import { isErrno } from '../lib/errors.ts';

/** What stands in a file after a position, and where that ends. */
export interface ReadOn {
  readonly text: string;
  readonly position: number;
}

const MOST_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Reads on in a file that grows, 64 KiB at the most, in whole lines unless `toTheEnd` (or a line is
 * longer). A file that is shorter than the position is another one by now: it is read from its
 * beginning. One that is not there is empty.
 * @throws ProcessmasterError when the file is there and cannot (or must not) be read.
 */
export function readOn(path: string, position: number, toTheEnd: boolean): ReadOn {
  const fd = openIfThere(path);
  if (fd === null) return { text: '', position: 0 };
  try {
    const from = position > fstatSync(fd).size ? 0 : position;
    const buffer = Buffer.allocUnsafe(MOST_BYTES);
    const read = buffer.subarray(0, readSync(fd, buffer, 0, MOST_BYTES, from));
    const bytes = read.subarray(0, wholeLines(read, toTheEnd));
    return { text: bytes.toString('utf8'), position: from + bytes.length };
  } finally {
    closeSync(fd);
  }
}

/** The size of a file: where it is read on from when nothing of it is wanted so far. */
export function endOf(path: string): number {
  const fd = openIfThere(path);
  if (fd === null) return 0;
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

function wholeLines(bytes: Buffer, toTheEnd: boolean): number {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const isLongLine = end === 0 && bytes.length === MOST_BYTES;
  return isLongLine || (toTheEnd && bytes.length < MOST_BYTES) ? bytes.length : end;
}

function openIfThere(path: string): number | null {
  try {
    return openForRead(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}
