import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseSignalName, SIGNAL_NAMES } from '../../src/model/signal-names.ts';

describe('signal names', () => {
  it('are all known to this kernel under the same numbers', () => {
    const numbers = new Map(Object.entries(constants.signals));
    for (const name of SIGNAL_NAMES) {
      expect(parseSignalName(String(numbers.get(name)))).toEqual({ ok: true, value: name });
    }
  });

  it.each(['SIGTERM', 'TERM', 'sigterm', '15'])('reads %s as SIGTERM', (text) => {
    expect(parseSignalName(text)).toEqual({ ok: true, value: 'SIGTERM' });
  });

  it.each(['', 'SIG', '0', '99', 'SIGTREM', 'SIGRTMIN'])('refuses %j', (text) => {
    expect(parseSignalName(text).ok).toBe(false);
  });
});
