import { describe, expect, test } from 'vitest';
import { endsAtWallMs, intentInForce, leftMs, reasonComplaint } from '../../src/model/intent.ts';
import { at, intent } from '../builders/situations.ts';

const endless = intent({ want: 'stop' });
const forAMinute = intent({ want: 'stop', until: at(60_000) });

test.each([
  ['none', null, at(0), null],
  ['without an end, after years', endless, at(1e12), endless],
  ['just given', forAMinute, at(0), forAMinute],
  ['in its last millisecond', forAMinute, at(59_999), forAMinute],
  ['at its end', forAMinute, at(60_000), null],
  ['long over', forAMinute, at(1e12), null],
  [
    'with the wall clock set a day ahead',
    forAMinute,
    { ...at(0), wallMs: at(86_400_000).wallMs },
    forAMinute,
  ],
  ['over, with the wall clock set back', forAMinute, { ...at(60_000), wallMs: at(0).wallMs }, null],
])('an intent %s', (_, stored, now, inForce) => {
  expect(intentInForce(stored, now.monotonicMs)).toBe(inForce);
});

test('what is left of it counts down on the monotonic clock', () => {
  expect(leftMs(forAMinute, at(45_000).monotonicMs)).toBe(15_000);
  expect(leftMs(endless, at(0).monotonicMs)).toBe(Number.POSITIVE_INFINITY);
});

describe('the end that people see', () => {
  test.each([
    ['is what was promised', forAMinute, at(10_000), at(60_000).wallMs],
    [
      'also when the clocks drift a little',
      forAMinute,
      { ...at(10_000), wallMs: at(10_900).wallMs },
      at(60_000).wallMs,
    ],
    [
      'moves when the wall clock is set',
      forAMinute,
      { ...at(10_000), wallMs: at(3_610_000).wallMs },
      at(3_660_000).wallMs,
    ],
    [
      'in whole seconds, wherever it was set to',
      forAMinute,
      { ...at(10_000), wallMs: at(3_610_321).wallMs },
      at(3_660_000).wallMs,
    ],
    ['is none where there is none', endless, at(0), null],
  ])('%s', (_, given, now, expected) => {
    expect(endsAtWallMs(given, now)).toBe(expected);
  });
});

test.each([
  ['new disk', null],
  ['größer, schneller: 100 % 👩‍💻', null],
  ['x'.repeat(256), null],
  ['👍'.repeat(256), null],
  ['', 'a few words'],
  ['  ', 'a few words'],
  ['x'.repeat(257), 'at most 256 characters'],
  ['two\nlines', 'one line without control characters'],
  ['a\ttab', 'one line without control characters'],
  ['\u001b[31mred', 'one line without control characters'],
  ['\u009b31m', 'one line without control characters'],
  ['a\u2028b', 'one line without control characters'],
  ['\u202egnitirw', 'one line without control characters'],
  ['half \ud83d', 'one line without control characters'],
])('the reason %j: %s', (text, complaint) => {
  expect(reasonComplaint(text)).toBe(complaint);
});
