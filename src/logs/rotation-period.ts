import type { RotationFrequency } from '../model/service-spec.ts';

/** From `startMs` (included) to `endMs` on the wall clock. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The minute, hour, day, week (from Monday) or month of local time that a moment lies in. */
export function periodOf(wallMs: number, frequency: RotationFrequency): Period {
  const at = new Date(wallMs);
  const day = (offset: number) =>
    new Date(at.getFullYear(), at.getMonth(), at.getDate() + offset).getTime();
  switch (frequency) {
    case 'minutely':
      return lasting(wallMs - (wallMs % MINUTE_MS), MINUTE_MS);
    case 'hourly': {
      // Counted in minutes of the local hour: zones are off by half hours, too.
      const intoHourMs = at.getMinutes() * MINUTE_MS + (wallMs % MINUTE_MS);
      return lasting(wallMs - intoHourMs, HOUR_MS);
    }
    case 'daily':
      return { startMs: day(0), endMs: day(1) };
    case 'weekly': {
      const sinceMonday = (at.getDay() + 6) % 7;
      return { startMs: day(-sinceMonday), endMs: day(7 - sinceMonday) };
    }
    case 'monthly': {
      const month = (offset: number) =>
        new Date(at.getFullYear(), at.getMonth() + offset, 1).getTime();
      return { startMs: month(0), endMs: month(1) };
    }
    case 'none':
      return { startMs: 0, endMs: Number.POSITIVE_INFINITY };
  }
}

function lasting(startMs: number, lengthMs: number): Period {
  return { startMs, endMs: startMs + lengthMs };
}
