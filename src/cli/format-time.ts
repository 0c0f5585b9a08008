export { formatLocalTime as formatTime } from '../lib/local-time.ts';

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** A span in its two largest units, for people: `3d4h`, `12m5s`, `7s`; `0s` below one second. */
export function formatSpan(spanMs: number): string {
  const first = UNITS.findIndex(([, unitMs]) => spanMs >= unitMs);
  if (first === -1) return '0s';
  let restMs = spanMs;
  let text = '';
  for (const [unit, unitMs] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}
