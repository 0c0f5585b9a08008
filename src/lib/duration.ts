import { type Parsed, parsed, unparsed } from './parsed.ts';

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** What {@link parseDuration} understands, and the empty text. */
export const DURATION_GRAMMAR = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;

const EXPECTED = 'a duration such as 1500ms, 30s, 10m, 2h, 1d or 1h30m';
const EXPECTED_OR_MS = 'a duration in milliseconds, or one such as 30s, 10m or 1h30m';

/**
 * Reads `1500ms`, `30s`, `10m`, `2h`, `1d` and larger-to-smaller compounds (`1h30m`) as
 * milliseconds. A bare number is milliseconds where `bareMilliseconds` allows one, else an error.
 */
export function parseDuration(
  text: string,
  { bareMilliseconds = false }: { readonly bareMilliseconds?: boolean } = {},
): Parsed<number> {
  const expected = bareMilliseconds ? EXPECTED_OR_MS : EXPECTED;
  const match =
    bareMilliseconds && /^\d+$/.test(text)
      ? DURATION_GRAMMAR.exec(`${text}ms`)
      : DURATION_GRAMMAR.exec(text);
  if (match === null || text === '') return unparsed(expected);
  const ms = Object.values(UNITS_MS).reduce(
    (sum, unitMs, index) => sum + Number(match[index + 1] ?? 0) * unitMs,
    0,
  );
  return Number.isSafeInteger(ms) ? parsed(ms) : unparsed(expected);
}

/** Writes whole milliseconds in the same grammar: 5_400_000 is `1h30m`, 0 is `0s`. */
export function formatDuration(durationMs: number): string {
  let restMs = Math.round(durationMs);
  let text = '';
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) {
    const count = Math.floor(restMs / unitMs);
    if (count > 0) text += `${count}${unit}`;
    restMs -= count * unitMs;
  }
  return text === '' ? '0s' : text;
}
