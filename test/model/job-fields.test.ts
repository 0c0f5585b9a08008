import { describe, expect, it } from 'vitest';
import { parseLocalTime, parseSchedule, parseTimeZone } from '../../src/model/job-fields.ts';

describe('fields of jobs', () => {
  it.each(['* * * * *', '*/15 0-6 1,15 JAN Mon'])('takes %s for a schedule', (text) => {
    expect(parseSchedule(text)).toEqual({ ok: true, value: text });
  });

  it.each(['* * * * * *', '* * * * * * 2030'])('says that %s has fields too many', (text) => {
    expect(parseSchedule(text)).toEqual({
      ok: false,
      expected: '5 cron fields (seconds and years are not supported)',
    });
  });

  it.each(['', '* * * *', '@daily', '* * * * ?;'])('refuses %j as a schedule', (text) => {
    expect(parseSchedule(text).ok).toBe(false);
  });

  it('parts the fields of a schedule by one space', () => {
    expect(parseSchedule('  0  4\t* * * ')).toEqual({ ok: true, value: '0 4 * * *' });
  });

  it.each(['2030-01-31', '2028-02-29', '2030-01-31 23:59:59'])('takes %s for a time', (text) => {
    expect(parseLocalTime(text)).toEqual({ ok: true, value: text });
  });

  it.each(['2030-02-29', '2030-13-01', '2030-04-31', '2030-00-10', '2030-01-31 24:00:00', '2030'])(
    'refuses %s as a time',
    (text) => {
      expect(parseLocalTime(text).ok).toBe(false);
    },
  );

  it('knows the time zones of IANA', () => {
    expect(parseTimeZone('Europe/Berlin').ok).toBe(true);
    expect(parseTimeZone('Mars/Base').ok).toBe(false);
  });
});
