/**
 * What the clocks of a time zone are ahead of UTC, out of the zone tables that Node carries (Intl
 * gives local times; nothing here asks what time it is).
 */

/** A stretch of time in which a zone's clocks are not set. */
export interface ZoneStretch {
  readonly fromMs: number;
  /** Exclusive. */
  readonly untilMs: number;
  /** Local time less UTC. */
  readonly offsetMs: number;
}

const DAY_MS = 86_400_000;
/** Stretches are looked for in spans of this length; no zone sets its clocks twice within a day. */
const SPAN_MS = 64 * DAY_MS;
const MOST_KEPT = 512;

const stretchesByKey = new Map<string, readonly ZoneStretch[]>();
const formatsByZone = new Map<string, Intl.DateTimeFormat>();

/** The stretch (cut to two months at the most) that holds a moment. `null` is the host's own zone. */
export function zoneStretch(zone: string | null, atMs: number): ZoneStretch {
  const span = Math.floor(atMs / SPAN_MS);
  const found = stretchesOf(zone, span).find(({ untilMs }) => atMs < untilMs);
  if (found === undefined)
    throw new RangeError(`no such moment in ${zone ?? 'local time'}: ${atMs}`);
  return found;
}

/**
 * The moment at which the clocks of a zone show a local time (given as if it were UTC): the first of
 * two, and of a time that is skipped the one as long after the gap as it is within.
 */
export function localToMs(zone: string | null, localMs: number): number {
  const before = zoneStretch(zone, localMs - DAY_MS).offsetMs;
  const after = zoneStretch(zone, localMs + DAY_MS).offsetMs;
  const asBefore = localMs - before;
  const isStillSo = zoneStretch(zone, asBefore).offsetMs === before;
  return isStillSo || zoneStretch(zone, localMs - after).offsetMs !== after
    ? asBefore
    : localMs - after;
}

function stretchesOf(zone: string | null, span: number): readonly ZoneStretch[] {
  const key = `${zone ?? ''} ${span}`;
  const known = stretchesByKey.get(key);
  if (known !== undefined) return known;
  if (stretchesByKey.size >= MOST_KEPT) stretchesByKey.clear();
  const stretches = readStretches(zone, span * SPAN_MS, (span + 1) * SPAN_MS);
  stretchesByKey.set(key, stretches);
  return stretches;
}

function readStretches(zone: string | null, fromMs: number, untilMs: number) {
  const stretches: ZoneStretch[] = [];
  let startMs = fromMs;
  let offsetMs = readOffsetMs(zone, fromMs);
  for (let dayMs = fromMs + DAY_MS; dayMs <= untilMs; dayMs += DAY_MS) {
    const nextOffsetMs = readOffsetMs(zone, dayMs);
    if (nextOffsetMs === offsetMs) continue;
    const changeMs = changeBetween(zone, dayMs - DAY_MS, dayMs, offsetMs);
    stretches.push({ fromMs: startMs, untilMs: changeMs, offsetMs });
    startMs = changeMs;
    offsetMs = nextOffsetMs;
  }
  if (startMs < untilMs) stretches.push({ fromMs: startMs, untilMs, offsetMs });
  return stretches;
}

/** The whole second at which `offsetMs` has ceased to hold. */
function changeBetween(
  zone: string | null,
  lowMs: number,
  highMs: number,
  offsetMs: number,
): number {
  let [low, high] = [lowMs, highMs];
  while (high - low > 1_000) {
    const middle = Math.floor((low + high) / 2_000) * 1_000;
    if (readOffsetMs(zone, middle) === offsetMs) low = middle;
    else high = middle;
  }
  return high;
}

/** At a whole second. */
function readOffsetMs(zone: string | null, atMs: number): number {
  const found = new Map<string, number>();
  for (const { type, value } of formatOf(zone).formatToParts(atMs)) found.set(type, Number(value));
  const part = (name: string) => found.get(name) ?? Number.NaN;
  const days = daysSinceEpoch(part('year'), part('month'), part('day'));
  const seconds = (part('hour') * 60 + part('minute')) * 60 + part('second');
  return days * DAY_MS + seconds * 1_000 - atMs;
}

/** The name of the host's own zone, as Node took it when it started. */
export function hostZone(): string {
  return formatOf(null).resolvedOptions().timeZone;
}

function formatOf(zone: string | null): Intl.DateTimeFormat {
  const known = formatsByZone.get(zone ?? '');
  if (known !== undefined) return known;
  const digits = { month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
    ...{ year: 'numeric', ...digits, second: 'numeric' },
    ...(zone === null ? {} : { timeZone: zone }),
  });
  formatsByZone.set(zone ?? '', format);
  return format;
}

/** Days from 1970-01-01 in the Gregorian calendar (Hinnant, days_from_civil). `month` is 1-12. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
