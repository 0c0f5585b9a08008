import { describe, expect, it } from 'vitest';
import { type CronFields, parseCron } from '../../src/model/cron-fields.ts';

function fieldsOf(text: string): CronFields {
  const result = parseCron(text);
  if (!result.ok) throw new Error(`${text}: expected ${result.expected}`);
  return result.value;
}

function complaint(text: string): string | null {
  const result = parseCron(text);
  return result.ok ? null : result.expected;
}

describe('a cron expression', () => {
  it.each([
    ['*/15 * * * *', [0, 15, 30, 45]],
    ['5 * * * *', [5]],
    ['0-10/5,59 * * * *', [0, 5, 10, 59]],
    ['3,1,2,1 * * * *', [1, 2, 3]],
  ])('has in %s the minutes %j', (text, minutes) => {
    expect(fieldsOf(text).minutes).toEqual(minutes);
  });

  it.each([
    ['JAN', [1]],
    ['january,Dec', [1, 12]],
    ['feb-APRIL', [2, 3, 4]],
    ['Jan-12/6', [1, 7]],
  ])('takes month %s in any case, long and short', (word, months) => {
    expect(fieldsOf(`0 0 1 ${word} *`).months).toEqual(months);
  });

  it.each([
    ['MON', [1]],
    ['sunday', [0]],
    ['0', [0]],
    ['7', [0]],
    ['5-7', [0, 5, 6]],
    ['Fri-Sun', [0, 5, 6]],
    ['SUN-tue', [0, 1, 2]],
    ['*', [0, 1, 2, 3, 4, 5, 6]],
    ['*/2', [0, 2, 4, 6]],
  ])('takes weekday %s, and 7 for Sunday', (word, days) => {
    expect(fieldsOf(`0 0 * * ${word}`).daysOfWeek).toEqual(days);
  });

  it.each([
    ['0 0 13 * 5', false],
    ['0 0 * * 5', true],
    ['0 0 13 * *', true],
    ['0 0 */2 * 5', true],
    ['0 0 1-31/2 * 5', false],
  ])('of %s needs both days: %j, as in Vixie cron', (text, both) => {
    expect(fieldsOf(text).needsBothDays).toBe(both);
  });

  it.each([
    ['0 * * * *', true],
    ['*/5 3 * * *', true],
    ['0 3 * * *', false],
    ['0 0-23 * * *', false],
  ])('%s follows the clock: %j', (text, follows) => {
    expect(fieldsOf(text).followsClock).toBe(follows);
  });

  it.each(['0 * * * * *', '0 0 * * * * 2030'])('with too many fields (%s) is refused', (text) => {
    expect(complaint(text)).toBe('5 cron fields (seconds and years are not supported)');
  });

  it.each([
    ['', 'minute hour day-of-month month day-of-week'],
    ['* * * *', 'minute hour day-of-month month day-of-week'],
    ['@daily', 'minute hour day-of-month month day-of-week'],
    ['60 * * * *', '"60" is no minute (0-59)'],
    ['* 24 * * *', '"24" is no hour (0-23)'],
    ['* * 0 * *', '"0" is no day-of-month (1-31)'],
    ['* * 32 * *', '"32" is no day-of-month (1-31)'],
    ['* * * 13 *', '"13" is no month (1-12 or JAN…)'],
    ['* * * * 8', '"8" is no day-of-week (0-7 or SUN…)'],
    ['* * * JANFEB *', '"JANFEB" is no month'],
    ['* * * * MO', '"MO" is no day-of-week'],
    ['MON * * * *', '"MON" is no minute'],
    ['*/0 * * * *', '"*/0" is no minute'],
    ['1,,2 * * * *', '"" is no minute'],
    ['1- * * * *', '"1-" is no minute'],
    ['-1 * * * *', '"-1" is no minute'],
    ['1.5 * * * *', '"1.5" is no minute'],
    ['* * L * *', '"L" is no day-of-month'],
    ['* * * * 5#2', '"5#2" is no day-of-week'],
    ['? * * * *', '"?" is no minute'],
    ['5/15 * * * *', '"5/15" has a step but no range'],
    ['50-10 * * * *', 'the range "50-10" runs backwards'],
    ['* * * * FRI-MON', 'the range "FRI-MON" runs backwards'],
    ['0 0 30 2 *', 'a day that exists (day-of-month 30 never comes in month 2)'],
    ['0 0 31 4,6,9,11 *', 'a day that exists'],
  ])('%j is refused, and why', (text, why) => {
    expect(complaint(text)).toContain(why);
  });

  it('takes a day that only leap years have', () => {
    expect(complaint('0 0 29 2 *')).toBeNull();
  });

  it('takes a day that no month has when a weekday will do', () => {
    expect(complaint('0 0 30 2 1')).toBeNull();
  });
});
