/** A span of time in a sentence: `50 ms`, `3.1 s`, `42 s`, `3 m 12 s`, `2 h`; never negative. */
export function spokenSpan(spanMs: number): string {
  const ms = Math.max(spanMs, 0);
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  return twoLargest(ms);
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

function twoLargest(ms: number): string {
  const first = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const words: string[] = [];
  let restMs = ms;
  for (const [unit, unitMs] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) words.push(`${count} ${unit}`);
  }
  return words.join(' ');
}
