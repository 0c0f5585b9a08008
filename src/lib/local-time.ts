/** Local time to the second, `2026-01-31 12:00:00`. */
export function formatLocalTime(atMs: number): string {
  const at = new Date(atMs);
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join('-');
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  return `${date} ${time}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
