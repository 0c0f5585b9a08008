import type { JobSpec } from './service-spec.ts';
import { daysSinceEpoch, localToMs } from './zone-offsets.ts';

const DAY_MS = 86_400_000;

/** Between which moments (both included) slots of a job are acted on; `null` is no bound. */
export interface JobBounds {
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
}

export function jobBounds({ notBefore, notAfter, timezone }: JobSpec): JobBounds {
  return {
    notBeforeMs: notBefore === null ? null : boundMs(notBefore, 'first', timezone),
    notAfterMs: notAfter === null ? null : boundMs(notAfter, 'last', timezone),
  };
}

/** A bound (see parseLocalTime) as a moment. A day without a time is meant whole. */
export function boundMs(text: string, end: 'first' | 'last', timezone: string | null): number {
  const [date = '', time] = text.split(' ');
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const localMs = daysSinceEpoch(year, month, day) * DAY_MS;
  if (time === undefined) {
    return end === 'first'
      ? localToMs(timezone, localMs)
      : localToMs(timezone, localMs + DAY_MS) - 1;
  }
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  return localToMs(timezone, localMs + ((hours * 60 + minutes) * 60 + seconds) * 1_000);
}
