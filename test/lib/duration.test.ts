import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/lib/duration.ts';

describe('durations', () => {
  it.each([
    ['1500ms', 1_500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1h30m', 5_400_000],
    ['1m5ms', 60_005],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  it.each(['', '5', '5 s', '-1s', '1.5h', '30s1m', '1m1m', '1w', 'm', '99999999999d'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toMatchObject({
        ok: false,
        expected: expect.stringMatching(/^a duration such as/),
      });
    },
  );

  it('takes a bare number for milliseconds only where that is allowed', () => {
    expect(parseDuration('250', { bareMilliseconds: true })).toEqual({ ok: true, value: 250 });
    expect(parseDuration('2s', { bareMilliseconds: true })).toEqual({ ok: true, value: 2_000 });
    expect(parseDuration('', { bareMilliseconds: true }).ok).toBe(false);
    expect(parseDuration('250').ok).toBe(false);
  });

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });

  it('writes the largest units first and leaves out what is zero', () => {
    expect([0, 5_400_000, 86_400_001].map(formatDuration)).toEqual(['0s', '1h30m', '1d1ms']);
  });
});
