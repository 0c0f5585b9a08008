import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSize, parseSize } from '../../src/lib/size.ts';

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['4096', 4_096],
    ['64MiB', 67_108_864],
    ['64mi', 67_108_864],
    ['10m', 10_000_000],
    ['10MB', 10_000_000],
    ['1GiB', 1_073_741_824],
    ['1.5KiB', 1_536],
    ['512b', 512],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });

  it.each(['', '-1', '1.5', '5i', '5 m', '1e3', '0x10', 'lots', 'MiB', '9999999PiB'])(
    'refuses %j',
    (text) => {
      expect(parseSize(text).ok).toBe(false);
    },
  );

  it('reads a plain number as that many bytes, and a binary prefix as a larger decimal one', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom('k', 'm', 'g'), (amount, prefix) => {
        const bytes = (text: string) => {
          const size = parseSize(text);
          return size.ok ? size.value : Number.NaN;
        };
        expect(bytes(String(amount))).toBe(amount);
        expect(bytes(`${amount}${prefix}i`)).toBeGreaterThanOrEqual(bytes(`${amount}${prefix}`));
      }),
    );
  });

  it.each([
    [0, '0'],
    [1, '1'],
    [1_500, '1500'],
    [10_000_000, '10m'],
    [2_000_000_000, '2g'],
    [1_048_576, '1048576'],
  ])('writes %d exactly, and reads it back', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });
});
