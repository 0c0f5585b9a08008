import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSlotMs } from '../../src/model/schedule.ts';
import { vixieStarts } from '../fakes/vixie-cron.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const FROM_MS = Date.UTC(2024, 0, 1);
const UNTIL_MS = Date.UTC(2031, 0, 1);

const ZONES = [
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Pacific/Apia',
  'UTC',
] as const;

/** Sparse enough to be compared over seven years. */
const SPARSE = [
  '30 1,2 * * *',
  '30 2 * * *',
  '0 1-3 * * *',
  '45 1 * * 0',
  '15 2 * 3,4,10,11 7',
  '0 0 * * *',
  '59 23 31 * *',
  '0 12 29 2 *',
  '0 6 13 * 5',
  '0 6 */3 * 1',
  '10 */6 * * *',
] as const;

/** Compared where clocks are set, and at the ends of months. */
const DENSE = [
  '* * * * *',
  '*/10 * * * *',
  '0 * * * *',
  '*/7 1-3 * * *',
  '5,35 0-4 * * 0,1',
] as const;

function slots(cron: string, timezone: string, fromMs: number, untilMs: number): readonly number[] {
  const found: number[] = [];
  let atMs: number | null = fromMs - 1;
  while (atMs !== null) {
    atMs = nextSlotMs({ cron, timezone }, atMs);
    if (atMs === null || atMs >= untilMs) break;
    found.push(atMs);
  }
  return found;
}

const iso = (times: readonly number[]) => times.map((ms) => new Date(ms).toISOString());

/** Three days around every change of a zone's clocks; two days around new years where there is none. */
function windowsOf(zone: string): readonly (readonly [number, number])[] {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  const nameAt = (ms: number) =>
    format.formatToParts(ms).find((p) => p.type === 'timeZoneName')?.value;
  const windows: (readonly [number, number])[] = [[FROM_MS + 58 * DAY_MS, FROM_MS + 61 * DAY_MS]];
  for (let ms = FROM_MS; ms < UNTIL_MS; ms += DAY_MS) {
    if (nameAt(ms) !== nameAt(ms + DAY_MS)) windows.push([ms - DAY_MS, ms + 2 * DAY_MS]);
  }
  return windows;
}

describe('the slots of a schedule, compared with Vixie cron', () => {
  for (const zone of ZONES) {
    it.each(SPARSE)(`of %s in ${zone} are the same from 2024 to 2030`, (cron) => {
      const expected = vixieStarts(cron, zone, FROM_MS, UNTIL_MS);
      expect(expected.length).toBeGreaterThan(0);
      expect(iso(slots(cron, zone, FROM_MS, UNTIL_MS))).toEqual(iso(expected));
    });

    it.each(DENSE)(`of %s in ${zone} are the same wherever clocks are set`, (cron) => {
      for (const [fromMs, untilMs] of windowsOf(zone)) {
        const expected = vixieStarts(cron, zone, fromMs, untilMs);
        expect(iso(slots(cron, zone, fromMs, untilMs))).toEqual(iso(expected));
      }
    });
  }

  it('are the same for whatever is written, in any of these zones', () => {
    const item = (least: number, most: number) => {
      const value = fc.integer({ min: least, max: most });
      const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
      const step = fc.tuple(fc.oneof(fc.constant('*'), range), fc.integer({ min: 1, max: 9 }));
      return fc.oneof(
        fc.constant('*'),
        value.map(String),
        range,
        step.map((s) => s.join('/')),
      );
    };
    const field = (least: number, most: number) =>
      fc.array(item(least, most), { minLength: 1, maxLength: 2 }).map((items) => items.join());
    const cron = fc
      .tuple(
        field(0, 59),
        field(0, 4),
        fc.constantFrom('*', '*/2', '1-28'),
        fc.constant('*'),
        field(0, 7),
      )
      .map((fields) => fields.join(' '));
    const places = ZONES.flatMap((zone) =>
      windowsOf(zone).map((window) => [zone, window] as const),
    );
    fc.assert(
      fc.property(cron, fc.constantFrom(...places), (text, [zone, [fromMs, untilMs]]) => {
        expect(iso(slots(text, zone, fromMs, untilMs))).toEqual(
          iso(vixieStarts(text, zone, fromMs, untilMs)),
        );
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

describe('the next slot', () => {
  const local = (cron: string, timezone: string, after: string) => {
    const nextMs = nextSlotMs({ cron, timezone }, Date.parse(after));
    return nextMs === null ? null : new Date(nextMs).toISOString().slice(0, 16);
  };

  it('of a time that is skipped in spring is right after the gap, once', () => {
    expect(local('30 2 * * *', 'America/New_York', '2026-03-08T06:00Z')).toBe('2026-03-08T07:00');
    expect(local('30 2 * * *', 'America/New_York', '2026-03-08T07:00Z')).toBe('2026-03-09T06:30');
  });

  it('of a time that comes twice in autumn is the first of the two', () => {
    expect(local('30 1 * * *', 'America/New_York', '2026-11-01T05:00Z')).toBe('2026-11-01T05:30');
    expect(local('30 1 * * *', 'America/New_York', '2026-11-01T05:30Z')).toBe('2026-11-02T06:30');
  });

  it('of every hour follows the clock in autumn', () => {
    expect(local('30 * * * *', 'America/New_York', '2026-11-01T05:30Z')).toBe('2026-11-01T06:30');
  });

  it('is later than the moment it is asked for, to the millisecond', () => {
    expect(local('0 12 * * *', 'UTC', '2026-01-01T12:00:00.000Z')).toBe('2026-01-02T12:00');
    expect(local('0 12 * * *', 'UTC', '2026-01-01T11:59:59.999Z')).toBe('2026-01-01T12:00');
  });

  it('is found although it is decades away', () => {
    expect(local('0 0 29 2 */2', 'UTC', '2032-03-01T00:00Z')).toBe('2048-02-29T00:00');
    expect(local('0 0 29 2 *', 'Europe/London', '2096-03-01T00:00Z')).toBe('2104-02-29T00:00');
  });

  it('is told in the zone of the host where none is named', () => {
    const here = new Date(2026, 5, 15, 12, 0).getTime();
    expect(nextSlotMs({ cron: '0 12 15 6 *', timezone: null }, here - DAY_MS)).toBe(here);
  });
});
