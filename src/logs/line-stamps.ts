import type { Clock } from '../lib/clock.ts';

const NEWLINE = 0x0a;
/** Holds a stamp and more than a pipe: most chunks come out in one piece. */
const BLOCK_BYTES = 128 * 1024;
/** A clock that was set is followed at once; less is the rounding of Date.now() and slow drift. */
const MOST_DRIFT_MS = 2;

let block: Buffer | null = null;
let anchor = { wallMs: 0, monotonicMs: 0 };

/**
 * The bytes with the time of now before each line that begins in them, in one or several pieces; a
 * piece is valid until the next one is asked for. Memory is bounded whatever the lines are.
 */
export function* stampLines(
  bytes: Buffer,
  { isMidLine, clock }: { readonly isMidLine: boolean; readonly clock: Clock },
): Generator<Buffer> {
  block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const stamp = Buffer.from(`${stampOf(clock)} `);
  let used = 0;
  let isNewLine = !isMidLine;
  for (let at = 0; at < bytes.length; ) {
    if (used + stamp.length + 1 > BLOCK_BYTES) {
      yield block.subarray(0, used);
      used = 0;
    }
    if (isNewLine) used += stamp.copy(block, used);
    const end = bytes.indexOf(NEWLINE, at) + 1;
    const copied = bytes.copy(block, used, at, end === 0 ? bytes.length : end);
    used += copied;
    at += copied;
    isNewLine = at === end;
  }
  yield block.subarray(0, used);
}

/** RFC 3339 in UTC with microseconds: `2026-01-31T12:00:00.123456Z`. */
function stampOf(clock: Pick<Clock, 'wallMs' | 'monotonicMs'>): string {
  const us = Math.round(preciseWallMs(clock) * 1_000);
  const ms = Math.floor(us / 1_000);
  const fraction = String(us - ms * 1_000).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${fraction}Z`;
}

/** The wall clock tells milliseconds; between two looks at it the monotonic clock tells the rest. */
function preciseWallMs(clock: Pick<Clock, 'wallMs' | 'monotonicMs'>): number {
  const [wallMs, monotonicMs] = [clock.wallMs(), clock.monotonicMs()];
  const guess = anchor.wallMs + monotonicMs - anchor.monotonicMs;
  if (Math.abs(guess - wallMs) <= MOST_DRIFT_MS) return guess;
  anchor = { wallMs, monotonicMs };
  return wallMs;
}
