import { describe, expect, it } from 'vitest';
import { parseCpu } from '../../src/lib/cpu.ts';

describe('CPU amounts', () => {
  it.each([
    ['100m', 100],
    ['1.5', 1_500],
    ['2', 2_000],
    ['0.001', 1],
    ['MAX', null],
    ['max', null],
  ])('reads %s as thousandths', (text, milliCpus) => {
    expect(parseCpu(text)).toEqual({ ok: true, value: milliCpus });
  });

  it.each(['', '0', '0m', '1.5m', '-1', '50%', '1.2345', 'all'])('refuses %j', (text) => {
    expect(parseCpu(text).ok).toBe(false);
  });
});
