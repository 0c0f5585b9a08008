import { stampOfLine } from '../lib/line-stamp.ts';
import { BEGINNING, HEAD_BYTES, type LogPosition, positionIn } from './log-position.ts';
import { steady } from './read-log.ts';
import { type OpenSegment, openSegment } from './segment-bytes.ts';
import { listSegments, type Segment } from './segments.ts';

const BLOCK_BYTES = 64 * 1024;
/** Lines that are longer than this together are not looked for. */
const MOST_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;
/** Times of files come from the tick before, or two seconds before on some file systems. */
const COARSE_MS = 2_000;

/**
 * Where the last `lines` lines of a log begin, backups included; 0 is where it ends. Of a plain file
 * only the end is read.
 * @throws ProcessmasterError when a file is there and cannot (or must not) be read
 */
export function findLastLines(path: string, lines: number): Promise<LogPosition> {
  return steady(async () => {
    const segments = listSegments(path);
    const newest = segments.at(-1);
    if (newest === undefined) return BEGINNING;
    if (lines === 0)
      return reading(newest, async (open) => at(open, newest, await endOf(open, newest)));
    // The newline at the very end ends a line and begins none.
    let missing = lines + 1;
    for (const segment of segments.toReversed()) {
      const isNewest = segment === newest;
      const look = segment.isCompressed ? lookForwards : lookBackwards;
      const found = await reading(segment, async (open) => {
        if (isNewest && !(await endsLine(open, segment))) missing -= 1;
        const start = await look(open, segment, missing);
        missing -= start.newlines;
        return start.offset === null ? null : at(open, segment, start.offset);
      });
      if (found !== null) return found;
    }
    return BEGINNING;
  });
}

/**
 * Where the lines of this wall time or later begin, or somewhat before: in a file whose lines begin
 * with their time by halving it, else the whole file counts. Older files are not opened.
 * @throws ProcessmasterError when a file is there and cannot (or must not) be read
 */
export function findTime(path: string, sinceMs: number): Promise<LogPosition> {
  return steady(async () => {
    const segments = listSegments(path);
    const first = segments.find(({ modifiedAtMs }) => modifiedAtMs + COARSE_MS >= sinceMs);
    if (first === undefined) return findLastLines(path, 0);
    return reading(first, async (open) => {
      const offset = first.isCompressed ? 0 : await halve(open, first.bytes, sinceMs);
      return at(open, first, offset);
    });
  });
}

interface Start {
  /** Null: it is in an older file, or there is none. */
  readonly offset: number | null;
  readonly newlines: number;
}

async function lookBackwards(
  open: OpenSegment,
  { bytes }: Segment,
  missing: number,
): Promise<Start> {
  let newlines = 0;
  for (let end = bytes; end > 0; end -= BLOCK_BYTES) {
    const start = Math.max(end - BLOCK_BYTES, 0);
    const block = await open.read(start, end - start);
    let found = block.lastIndexOf(NEWLINE);
    for (; found !== -1; found = found === 0 ? -1 : block.lastIndexOf(NEWLINE, found - 1)) {
      newlines += 1;
      if (newlines === missing) return { offset: start + found + 1, newlines };
    }
    if (bytes - start >= MOST_BYTES) return { offset: start, newlines };
  }
  return { offset: null, newlines };
}

/** What is compressed can only be read from its beginning: the last newlines are remembered. */
async function lookForwards(open: OpenSegment, _: Segment, missing: number): Promise<Start> {
  const found: number[] = [];
  let newlines = 0;
  for (let offset = 0; ; ) {
    const block = await open.read(offset, BLOCK_BYTES);
    for (let end = block.indexOf(NEWLINE); end !== -1; end = block.indexOf(NEWLINE, end + 1)) {
      found[newlines % missing] = offset + end + 1;
      newlines += 1;
    }
    offset += block.length;
    if (block.length < BLOCK_BYTES) break;
  }
  return newlines < missing
    ? { offset: null, newlines }
    : { offset: found[newlines % missing] ?? 0, newlines: missing };
}

/** The offset of a line before which all are older; 0 where lines do not begin with their time. */
async function halve(open: OpenSegment, bytes: number, sinceMs: number): Promise<number> {
  let [low, high] = [0, bytes];
  while (high - low > BLOCK_BYTES) {
    const middle = Math.floor((low + high) / 2);
    const stamped = firstStamped(await open.read(middle, BLOCK_BYTES));
    if (stamped === null) return low;
    if (stamped.atMs >= sinceMs) high = middle;
    else low = middle + stamped.offset;
  }
  return low;
}

function firstStamped(block: Buffer): { readonly offset: number; readonly atMs: number } | null {
  for (let end = block.indexOf(NEWLINE); end !== -1; end = block.indexOf(NEWLINE, end + 1)) {
    const atMs = stampOfLine(block.toString('latin1', end + 1, end + 64));
    if (atMs !== null) return { offset: end + 1, atMs };
  }
  return null;
}

/** The length of the content. */
export async function endOf(open: OpenSegment, { bytes, isCompressed }: Segment): Promise<number> {
  if (!isCompressed) return bytes;
  for (let offset = 0; ; ) {
    const { length } = await open.read(offset, BLOCK_BYTES);
    if (length === 0) return offset;
    offset += length;
  }
}

async function endsLine(open: OpenSegment, { bytes, isCompressed }: Segment): Promise<boolean> {
  // What was put aside ends with a line, as a rule.
  return isCompressed || (await open.read(bytes - 1, 1))[0] === NEWLINE;
}

async function reading<T>(segment: Segment, act: (open: OpenSegment) => Promise<T>): Promise<T> {
  const open = openSegment(segment);
  try {
    return await act(open);
  } finally {
    open.close();
  }
}

async function at(open: OpenSegment, segment: Segment, offset: number): Promise<LogPosition> {
  const head = await open.read(0, HEAD_BYTES);
  return positionIn(segment, offset, head);
}
