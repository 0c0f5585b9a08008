import { closeSync, fstatSync, lstatSync, readSync } from 'node:fs';
import { openForRead } from '../host/safe-open.ts';
import { isErrno } from '../lib/errors.ts';
import type { LogPosition } from '../model/log-position.ts';
import { MAX_BACKUPS, nameOf, WIDEST_GAP } from './backups.ts';

/** What stands in a log after a position, and where that ends. */
export interface ReadOn {
  readonly text: string;
  readonly position: LogPosition;
  /** What was read last is compressed or removed by now: the rest of it is not shown. */
  readonly isGap: boolean;
}

const MOST_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Reads on in a log that grows, 64 KiB at the most, in whole lines unless `toTheEnd` (or a line is
 * longer). A file that was put aside meanwhile is read to its end before the next one. A file that is
 * shorter than the position was truncated: it is read from its beginning. One that is not there is
 * empty.
 * @throws ProcessmasterError when a file is there and cannot (or must not) be read.
 */
export function readOn(path: string, position: LogPosition, toTheEnd: boolean): ReadOn {
  const nothing: ReadOn = { text: '', position, isGap: false };
  const live = inodeAt(path);
  const inode = position.inode ?? oldestOf(path) ?? live;
  if (inode === null) return nothing;
  if (inode === live) return readFile(path, live, position.offset, toTheEnd) ?? nothing;
  const number = numberOf(path, inode);
  if (number === null) {
    const begun = live === null ? null : readFile(path, live, 0, toTheEnd);
    return begun === null ? nothing : { ...begun, isGap: true };
  }
  const rest = readFile(nameOf(path, number, false), inode, position.offset, true);
  if (rest === null || rest.text !== '') return rest ?? nothing;
  const next = number === 1 ? live : inodeAt(nameOf(path, number - 1, false));
  // In the middle of a rotation there may be none for a moment.
  return next === null ? nothing : readOn(path, { inode: next, offset: 0 }, toTheEnd);
}

/** The end of a log: where it is read on from when nothing of it is wanted so far. */
export function endOf(path: string): LogPosition {
  const end = (_fd: number, inode: number, bytes: number) => ({ inode, offset: bytes });
  return withFile(path, end) ?? withFile(nameOf(path, 1, false), end) ?? BEGINNING;
}

/** Of all that comes. */
const BEGINNING: LogPosition = { inode: null, offset: 0 };

/** `null` when that file is not under that name (any more). */
function readFile(
  path: string,
  expectedInode: number,
  offset: number,
  toTheEnd: boolean,
): ReadOn | null {
  return withFile(path, (fd, inode, bytes) => {
    if (inode !== expectedInode) return null;
    const from = offset > bytes ? 0 : offset;
    const buffer = Buffer.allocUnsafe(MOST_BYTES);
    const read = buffer.subarray(0, readSync(fd, buffer, 0, MOST_BYTES, from));
    const whole = read.subarray(0, wholeLines(read, toTheEnd));
    const position = { inode, offset: from + whole.length };
    return { text: whole.toString('utf8'), position, isGap: false };
  });
}

/** The oldest backup that is not compressed. */
function oldestOf(path: string): number | null {
  return plainBackups(path).at(-1)?.inode ?? null;
}

/** Which backup has that inode; rotation renames, so it keeps it until it is compressed. */
function numberOf(path: string, inode: number): number | null {
  return plainBackups(path).find((backup) => backup.inode === inode)?.number ?? null;
}

/** Those that are not compressed, newest first. Numbers are vacant while a rotation renames them. */
function plainBackups(path: string): readonly { number: number; inode: number }[] {
  const found: { number: number; inode: number }[] = [];
  for (let number = 1, last = 0; number <= Math.min(last + WIDEST_GAP, MAX_BACKUPS); number += 1) {
    const inode = inodeAt(nameOf(path, number, false));
    if (inode !== null) found.push({ number, inode });
    if (inode !== null || inodeAt(nameOf(path, number, true)) !== null) last = number;
  }
  return found;
}

function inodeAt(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function wholeLines(bytes: Buffer, toTheEnd: boolean): number {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const isLongLine = end === 0 && bytes.length === MOST_BYTES;
  return isLongLine || (toTheEnd && bytes.length < MOST_BYTES) ? bytes.length : end;
}

function withFile<T>(path: string, use: (fd: number, inode: number, bytes: number) => T): T | null {
  const fd = openIfThere(path);
  if (fd === null) return null;
  try {
    const { ino, size } = fstatSync(fd);
    return use(fd, ino, size);
  } finally {
    closeSync(fd);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openForRead(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}
