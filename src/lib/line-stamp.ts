const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))(?:\s|$)/;
const LONGEST = 40;

/**
 * The wall time (milliseconds, with a fraction) that a line begins with in RFC 3339, as captured lines
 * do with `logs.timestamps`; `null` when it does not. Pure.
 */
export function stampOfLine(line: string): number | null {
  const text = STAMP.exec(line.slice(0, LONGEST))?.[1];
  if (text === undefined) return null;
  const wallMs = Date.parse(text);
  if (Number.isNaN(wallMs)) return null;
  // Date reads milliseconds; the microseconds are what tells lines of two streams apart.
  const digits = /\.\d{3}(\d{1,3})/.exec(text)?.[1] ?? '';
  return wallMs + Number(digits.padEnd(3, '0')) / 1_000;
}
