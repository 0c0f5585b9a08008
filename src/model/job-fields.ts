import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';
import { parseCron } from './cron-fields.ts';

/** A cron expression that is right (see parseCron), its fields parted by one space. */
export function parseSchedule(text: string): Parsed<string> {
  const fields = parseCron(text);
  return fields.ok ? parsed(text.trim().split(/\s+/).join(' ')) : fields;
}

/** Checks `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`, to be read in the job's own time zone. */
export function parseLocalTime(text: string): Parsed<string> {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d))?$/.exec(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] =
    match?.slice(1).map((digits) => Number(digits ?? 0)) ?? [];
  const isReal =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysInMonth(year, month) &&
    hour < 24 &&
    minute < 60;
  return match !== null && isReal && second < 60
    ? parsed(text)
    : unparsed('a date such as 2030-01-31 or "2030-01-31 08:00:00"');
}

/** Checks the name of an IANA time zone. */
export function parseTimeZone(text: string): Parsed<string> {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return parsed(text);
  } catch {
    return unparsed('a time zone such as Europe/Berlin');
  }
}

function daysInMonth(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (month === 2) return isLeap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
