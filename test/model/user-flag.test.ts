import { expect, test } from 'vitest';
import { SYSTEM_FLAGS } from '../../src/model/system-flag.ts';
import { holds, parseUserFlag, type UserFlag, withFlags } from '../../src/model/user-flag.ts';

const flag = (name: string, expiresAtMs: number | null = null): UserFlag => ({
  ...{ name, expiresAtMs, setAtMs: 0, actor: 'ann' },
});

test.for(['a', 'maintenance', 'v1.2_x-3', '-', 'x'.repeat(50)])('%j is a flag', (text) => {
  expect(parseUserFlag(text)).toEqual({ ok: true, value: text });
});

test.for(['', 'x'.repeat(51), 'a b', 'ä', 'a/b', 'a\n'])('%j is no flag', (text) => {
  expect(parseUserFlag(text)).toEqual({
    ok: false,
    expected: '1 to 50 letters, digits, "_", "." or "-"',
  });
});

test.for([...SYSTEM_FLAGS, 'all'])('%s is taken', (text) => {
  expect(parseUserFlag(text)).toEqual({
    ok: false,
    expected: expect.stringContaining('a name other than all, failed'),
  });
});

test('a flag holds until its time is over', () => {
  expect([holds(flag('a'), 1e15), holds(flag('a', 10), 9), holds(flag('a', 10), 10)]).toEqual([
    true,
    true,
    false,
  ]);
});

test('flags are kept by name, the newest of each', () => {
  const before = [flag('b', 5), flag('c')];
  expect(withFlags(before, [flag('b', 9), flag('a')])).toEqual([
    flag('a'),
    flag('b', 9),
    flag('c'),
  ]);
});
