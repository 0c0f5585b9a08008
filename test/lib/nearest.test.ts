import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/lib/nearest.ts';

const KEYS = ['stop_grace_period_ms', 'stop_signal', 'stop_command', 'user', 'umask'];

describe('the nearest word', () => {
  it.each([
    ['stop_grace_periodms', 'stop_grace_period_ms'],
    ['stopsignal', 'stop_signal'],
    ['Stop_Signal', 'stop_signal'],
    ['usre', 'user'],
    ['usr', 'user'],
  ])('of %s is %s', (word, meant) => {
    expect(nearest(word, KEYS)).toBe(meant);
  });

  it.each(['networking', 'x', ''])('of %j is none', (word) => {
    expect(nearest(word, KEYS)).toBeUndefined();
  });

  it('of a word with one letter too many is that word', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), fc.nat(19), (key, at) => {
        expect(nearest(`${key.slice(0, at)}z${key.slice(at)}`, KEYS)).toBe(key);
      }),
    );
  });
});
