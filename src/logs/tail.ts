import { closeSync, fstatSync, readSync } from 'node:fs';
import { openForRead } from '../host/safe-open.ts';
import { isErrno } from '../lib/errors.ts';

/** The end of a file that somebody else has read. */
export interface EndOfFile {
  readonly bytes: Buffer;
  /** Whether the file begins before that. */
  readonly isCut: boolean;
}

export interface TailOptions {
  readonly lines: number;
  /** How far back from the end of the file is looked at most. */
  readonly maxBytes: number;
}

export interface Tail {
  /** Oldest first, without their newlines; invalid UTF-8 shows as U+FFFD. */
  readonly lines: readonly string[];
  /** Whether something of the lines asked for is missing: too many bytes, or too long a line. */
  readonly truncated: boolean;
}

const BLOCK_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The last lines of a file of any size; memory is bounded by `maxBytes`. A file that is not there
 * has no lines.
 * @throws ProcessmasterError when the file is there and cannot (or must not) be read.
 */
export function tailLines(path: string, options: TailOptions): Tail {
  const fd = openIfThere(path);
  if (fd === null) return { lines: [], truncated: false };
  try {
    return tailOfEnd(readEnd(fd, options), options);
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

/** The last lines of what is the end of a file. Pure. */
export function tailOfEnd({ bytes, isCut }: EndOfFile, options: Pick<TailOptions, 'lines'>): Tail {
  const found = splitLines(bytes);
  // What stands before the first newline is the end of a line whose beginning was not read.
  const startsCut = isCut && found.length <= options.lines;
  const wanted = options.lines > 0 ? found.slice(-options.lines) : [];
  const lines = wanted.map((line, at) => decodeLine(line, startsCut && at === 0));
  const truncated = startsCut || wanted.some((line) => line.length > MAX_LINE_BYTES);
  return { lines, truncated };
}

/** Reads backwards until enough newlines were seen; `isCut` when the file begins before that. */
function readEnd(fd: number, options: TailOptions): EndOfFile {
  const blocks: Buffer[] = [];
  const { size } = fstatSync(fd);
  let start = size;
  // The newline at the very end ends a line and begins none.
  let missing = options.lines + 1;
  while (start > 0 && missing > 0 && size - start < options.maxBytes) {
    const length = Math.min(BLOCK_BYTES, start, options.maxBytes - (size - start));
    start -= length;
    const block = readBlock(fd, start, length);
    blocks.unshift(block);
    missing -= countNewlines(block);
  }
  return { bytes: Buffer.concat(blocks), isCut: start > 0 };
}

/** Shorter than asked for when the file was truncated meanwhile. */
function readBlock(fd: number, start: number, length: number): Buffer {
  const block = Buffer.allocUnsafe(length);
  return block.subarray(0, readSync(fd, block, 0, length, start));
}

function countNewlines(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(NEWLINE); at !== -1; at = block.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  if (start < bytes.length) lines.push(bytes.subarray(start));
  return lines;
}

/** Where a line is cut, no half character is left: that would show as damage that is not there. */
function decodeLine(line: Buffer, startsCut: boolean): string {
  const whole = startsCut ? line.subarray(continuationBytes(line)) : line;
  const shown = whole.subarray(0, MAX_LINE_BYTES);
  const cutBytes = whole.length - shown.length;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(shown, {
    stream: cutBytes > 0,
  });
  return `${startsCut ? '[…] ' : ''}${text}${cutBytes > 0 ? ` [… ${cutBytes} bytes more]` : ''}`;
}

function continuationBytes(line: Buffer): number {
  let count = 0;
  while (count < 3 && ((line[count] ?? 0) & 0xc0) === 0x80) count += 1;
  return count;
}
