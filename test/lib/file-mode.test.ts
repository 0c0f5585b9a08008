import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFileMode, parseFileMode } from '../../src/lib/file-mode.ts';

describe('file modes', () => {
  it.each(['660', '0660', '0o660', '00660'])('reads %s as octal', (text) => {
    expect(parseFileMode(text)).toEqual({ ok: true, value: 0o660 });
  });

  it.each(['', '680', '0690', '17777', '0o10000', '-1', 'rw-rw----', '0x1b0'])(
    'refuses %j',
    (text) => {
      expect(parseFileMode(text).ok).toBe(false);
    },
  );

  it('reads back every mode that it writes', () => {
    fc.assert(
      fc.property(fc.nat(0o7777), (mode) => {
        expect(parseFileMode(formatFileMode(mode))).toEqual({ ok: true, value: mode });
      }),
    );
  });
});
