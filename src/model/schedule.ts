import { Cron } from 'croner';
import { type CronFields, parseCron } from './cron-fields.ts';
import { zoneStretch } from './zone-offsets.ts';

/** When a job is due: its slots. */
export interface Schedule {
  /** Five fields, see parseCron(). */
  readonly cron: string;
  /** An IANA name; `null` is the host's own. */
  readonly timezone: string | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A leap day on a given day of the week comes every 28 years, around 2100 after 40. */
const HORIZON_MS = 41 * 366 * DAY_MS;

/**
 * The first slot after a moment, in ms since the epoch at a whole minute; `null` when there is none.
 *
 * The calendar is croner's, in a year without summer time; what happens when clocks are set is decided
 * here, as Vixie cron does. A schedule whose minute or hour begins with `*` follows the clock: what is
 * skipped does not come, what comes twice is due twice. Any other has fixed times: those that are
 * skipped are due once, right after the gap, and those that come twice are due the first time.
 */
export function nextSlotMs({ cron, timezone }: Schedule, afterMs: number): number | null {
  const calendar = calendarOf(cron);
  const fromMs = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  let stretch = zoneStretch(timezone, fromMs);
  while (stretch.fromMs < afterMs + HORIZON_MS) {
    const beforeMs = zoneStretch(timezone, stretch.fromMs - 1).offsetMs;
    const slotMs = slotWithin(calendar, { ...stretch, beforeMs }, fromMs);
    if (slotMs === null || slotMs < stretch.untilMs) return slotMs;
    // What was found is so far away that stretches until then cannot hold anything: look at its own.
    const nextMs = Math.max(stretch.untilMs, slotMs - 2 * DAY_MS);
    stretch = zoneStretch(timezone, nextMs);
  }
  return null;
}

interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly offsetMs: number;
  /** The offset that was in force just before. */
  readonly beforeMs: number;
}

/** The first slot at `fromMs` or later as if the stretch had no end. */
function slotWithin(calendar: Calendar, stretch: Stretch, fromMs: number): number | null {
  const { offsetMs, beforeMs } = stretch;
  const localFromMs = Math.max(fromMs, stretch.fromMs) + offsetMs;
  if (calendar.fields.followsClock) {
    const localMs = calendar.nextLocalMs(localFromMs);
    return localMs === null ? null : localMs - offsetMs;
  }
  // Local times up to here have been: after a gap fewer than the clock shows, after a fold more.
  const reachedMs = stretch.fromMs + beforeMs;
  const isAtStart = fromMs <= stretch.fromMs;
  const localMs = calendar.nextLocalMs(isAtStart ? reachedMs : Math.max(localFromMs, reachedMs));
  return localMs === null ? null : Math.max(localMs - offsetMs, wholeMinute(stretch.fromMs));
}

function wholeMinute(ms: number): number {
  return Math.ceil(ms / MINUTE_MS) * MINUTE_MS;
}

interface Calendar {
  readonly fields: CronFields;
  /** The first match at a local time (as if it were UTC) or later. */
  readonly nextLocalMs: (localMs: number) => number | null;
}

const MOST_KEPT = 4_096;
const calendarsByCron = new Map<string, Calendar>();

/** Reading an expression costs more than using it. @throws RangeError for one that parseCron refuses */
function calendarOf(cron: string): Calendar {
  const known = calendarsByCron.get(cron);
  if (known !== undefined) return known;
  if (calendarsByCron.size >= MOST_KEPT) calendarsByCron.clear();
  const made = makeCalendar(cron);
  calendarsByCron.set(cron, made);
  return made;
}

function makeCalendar(text: string): Calendar {
  const result = parseCron(text);
  if (!result.ok) throw new RangeError(`not a schedule: ${text}; expected ${result.expected}`);
  const fields = result.value;
  const { minutes, hours, daysOfMonth, months, daysOfWeek } = fields;
  // In numbers, so that croner's own grammar (which has more) does not come into it.
  const pattern = [minutes, hours, daysOfMonth, months, daysOfWeek].map((each) => each.join());
  const options = { mode: '5-part', utcOffset: 0, domAndDow: fields.needsBothDays } as const;
  const cron = new Cron(pattern.join(' '), options);
  return {
    fields,
    nextLocalMs: (localMs) => {
      // biome-ignore lint/style/noRestrictedGlobals: a number in the shape that croner takes, no clock
      const before = new Date(localMs - 1_000);
      return cron.nextRun(before)?.getTime() ?? null;
    },
  };
}
