import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';

/** A cron expression taken apart: the values of each field, ascending. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  /** 1 is January. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly daysOfWeek: readonly number[];
  /** Minute or hour begins with `*`: it follows the clock when that is set for summer time. */
  readonly followsClock: boolean;
  /** A day has to match both day fields; where neither begins with `*`, either will do. */
  readonly needsBothDays: boolean;
}

interface Field {
  readonly called: string;
  readonly least: number;
  readonly most: number;
  /** Long names; the first three letters will do. The first one is `least`. */
  readonly names: readonly string[];
}

const MONTHS =
  'january february march april may june july august september october november december';
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday';

const FIELDS: readonly [Field, Field, Field, Field, Field] = [
  { called: 'minute', least: 0, most: 59, names: [] },
  { called: 'hour', least: 0, most: 23, names: [] },
  { called: 'day-of-month', least: 1, most: 31, names: [] },
  { called: 'month', least: 1, most: 12, names: MONTHS.split(' ') },
  // Sunday is 0 and 7.
  { called: 'day-of-week', least: 0, most: 7, names: WEEKDAYS.split(' ') },
];

const OUTLINE = '5 cron fields: minute hour day-of-month month day-of-week';

/**
 * Reads a cron expression of five fields as crontab(5) has them: `*`, lists, ranges, steps of `*` or
 * of a range, and names of months and weekdays, long or short, in any case.
 */
export function parseCron(text: string): Parsed<CronFields> {
  const words = text.trim().split(/\s+/);
  if (words.length === 6 || words.length === 7) {
    return unparsed('5 cron fields (seconds and years are not supported)');
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek, ...more] = words;
  if (dayOfWeek === undefined || more.length > 0) return unparsed(OUTLINE);
  const values: (readonly number[])[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const result = parseField(words[index] ?? '', field);
    if (!result.ok) return result;
    values.push(result.value);
  }
  const [minutes = [], hours = [], daysOfMonth = [], months = [], weekdays = []] = values;
  const daysOfWeek = ascending(weekdays.map((day) => day % 7));
  const isStar = (word: string | undefined) => word?.startsWith('*') === true;
  const fields: CronFields = {
    ...{ minutes, hours, daysOfMonth, months, daysOfWeek },
    followsClock: isStar(minute) || isStar(hour),
    needsBothDays: isStar(dayOfMonth) || isStar(dayOfWeek),
  };
  return hasDay(fields)
    ? parsed(fields)
    : unparsed(`a day that exists (day-of-month ${dayOfMonth} never comes in month ${month})`);
}

function parseField(word: string, field: Field): Parsed<readonly number[]> {
  const values: number[] = [];
  for (const item of word.split(',')) {
    const result = parseItem(item, field);
    if (!result.ok) return result;
    values.push(...result.value);
  }
  return parsed(ascending(values));
}

/** `*`, `5`, `1-5`, each of the first and last with a step. */
function parseItem(item: string, field: Field): Parsed<readonly number[]> {
  const { called, least, most } = field;
  const wrong = unparsed(`${OUTLINE}; ${JSON.stringify(item)} is no ${called}${range(field)}`);
  const match = /^(?:\*|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:\/(\d{1,4}))?$/.exec(item);
  if (match === null) return wrong;
  const [, firstWord, lastWord, stepWord] = match;
  const step = Number(stepWord ?? 1);
  const first = firstWord === undefined ? least : numberOf(firstWord, field);
  const last = lastOf(firstWord, lastWord, field);
  const isStepOfOne = stepWord !== undefined && firstWord !== undefined && lastWord === undefined;
  if (isStepOfOne) return unparsed(`${OUTLINE}; ${JSON.stringify(item)} has a step but no range`);
  if (first === null || last === null || step === 0) return wrong;
  if (first < least || last > most) return wrong;
  if (first > last) return unparsed(`${OUTLINE}; the range ${JSON.stringify(item)} runs backwards`);
  return parsed(
    Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, n) => first + n * step),
  );
}

function lastOf(firstWord: string | undefined, lastWord: string | undefined, field: Field) {
  // `*` for the weekday is 0-6: with 7, a step would hit Sunday twice.
  if (firstWord === undefined) return field.most === 7 ? 6 : field.most;
  if (lastWord === undefined) return numberOf(firstWord, field);
  const last = numberOf(lastWord, field);
  const isWeekToSunday = field.most === 7 && last === 0 && /^[a-z]/i.test(lastWord);
  return isWeekToSunday && numberOf(firstWord, field) !== 0 ? 7 : last;
}

function numberOf(word: string, { names, least }: Field): number | null {
  if (/^\d{1,2}$/.test(word)) return Number(word);
  const lower = word.toLowerCase();
  const index = names.findIndex((name) => name === lower || name.slice(0, 3) === lower);
  return index === -1 ? null : least + index;
}

function range({ least, most, names }: Field): string {
  const or = names.length === 0 ? '' : ` or ${names[0]?.slice(0, 3).toUpperCase()}…`;
  return ` (${least}-${most}${or})`;
}

/** Days of the longest February count: a leap year comes. */
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function hasDay({ daysOfMonth, months, needsBothDays }: CronFields): boolean {
  const [first = 1] = daysOfMonth;
  return !needsBothDays || months.some((month) => first <= (LONGEST_MONTHS[month - 1] ?? 0));
}

function ascending(values: readonly number[]): readonly number[] {
  return [...new Set(values)].toSorted((a, b) => a - b);
}
