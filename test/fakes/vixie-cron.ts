/**
 * What Vixie cron would do, minute by minute, as its cron.c does it: the oracle that schedules are
 * compared with. Shares nothing with src: its own grammar, its own time zones.
 */

const MINUTE_MS = 60_000;
/** A jump of the clock that is longer is a correction, cron.c says. */
const LONGEST_JUMP_MINUTES = 3 * 60;

interface Entry {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly isWild: boolean;
  readonly isDay: (day: Date) => boolean;
}

/** The real minutes (ms since the epoch) from `fromMs` until before `untilMs` at which a job starts. */
export function vixieStarts(
  cron: string,
  zone: string,
  fromMs: number,
  untilMs: number,
): readonly number[] {
  const entry = readEntry(cron);
  const starts: number[] = [];
  // A day before, so that a change of the clock at the very beginning is noticed.
  const firstMs = fromMs - 1_440 * MINUTE_MS;
  let virtual = firstMs / MINUTE_MS + offsetMinutes(zone, firstMs);
  let offset = offsetMinutes(zone, firstMs);
  for (let atMs = firstMs + MINUTE_MS; atMs < untilMs; atMs += MINUTE_MS) {
    if (atMs % QUARTER_MS === 0) offset = offsetMinutes(zone, atMs);
    const local = atMs / MINUTE_MS + offset;
    const jump = local - virtual;
    let isDue = entry.isWild && matches(entry, local);
    if (jump > LONGEST_JUMP_MINUTES || jump < -LONGEST_JUMP_MINUTES) virtual = local - 1;
    for (; virtual < local; virtual += 1) {
      if (!entry.isWild && matches(entry, virtual + 1)) isDue = true;
    }
    if (isDue && atMs >= fromMs) starts.push(atMs);
  }
  return starts;
}

function matches({ minutes, hours, isDay }: Entry, local: number): boolean {
  if (!minutes.has(local % 60)) return false;
  return hours.has(Math.floor(local / 60) % 24) && isDay(new Date(local * MINUTE_MS));
}

/** Clocks are set at a multiple of a quarter of an hour. By zone, then by that quarter. */
const offsets = new Map<string, Map<number, number>>();
const QUARTER_MS = 15 * MINUTE_MS;

function offsetMinutes(zone: string, atMs: number): number {
  const quarter = Math.floor(atMs / QUARTER_MS);
  const ofZone = offsets.get(zone) ?? new Map<number, number>();
  offsets.set(zone, ofZone);
  const known = ofZone.get(quarter);
  if (known !== undefined) return known;
  const options = { timeZone: zone, timeZoneName: 'longOffset' } as const;
  const text = formatFor(zone, options).format(quarter * QUARTER_MS);
  const [, sign = '+', hours = '0', minutes = '0'] =
    /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  ofZone.set(quarter, offset);
  return offset;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-US', options);
  formats.set(zone, format);
  return format;
}

function readEntry(cron: string): Entry {
  const [minute = '', hour = '', dom = '', month = '', dow = ''] = cron.split(' ');
  const days = numbers(dom, 1, 31);
  const months = numbers(month, 1, 12);
  const weekdays = numbers(dow, 0, 7);
  if (weekdays.has(7)) weekdays.add(0);
  const isStarred = dom.startsWith('*') || dow.startsWith('*');
  return {
    minutes: numbers(minute, 0, 59),
    hours: numbers(hour, 0, 23),
    isWild: minute.startsWith('*') || hour.startsWith('*'),
    isDay: (day) => {
      const [isDom, isDow] = [days.has(day.getUTCDate()), weekdays.has(day.getUTCDay())];
      return months.has(day.getUTCMonth() + 1) && (isStarred ? isDom && isDow : isDom || isDow);
    },
  };
}

/** Numbers only; names are tested elsewhere. */
function numbers(field: string, least: number, most: number): Set<number> {
  const values = new Set<number>();
  for (const item of field.split(',')) {
    const [range = '', step = '1'] = item.split('/');
    const [first = '', last = first] = range === '*' ? [`${least}`, `${most}`] : range.split('-');
    for (let value = Number(first); value <= Number(last); value += Number(step)) values.add(value);
  }
  return values;
}
