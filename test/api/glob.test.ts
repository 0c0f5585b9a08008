import { expect, test } from 'vitest';
import { globMatcher, isGlob } from '../../src/api/glob.ts';

test.for([
  ['*', '', true],
  ['*', 'web', true],
  ['web*', 'web', true],
  ['web*', 'web-1', true],
  ['web*', 'aweb', false],
  ['*web', 'my-web', true],
  ['*web', 'web-1', false],
  ['w*b', 'wb', true],
  ['w*b', 'web-b', true],
  ['w*b*', 'wab', true],
  ['*a*b*', 'xxbxa', false],
  ['web-?', 'web-1', true],
  ['web-?', 'web-', false],
  ['web-?', 'web-12', false],
  ['web-[12]', 'web-2', true],
  ['web-[12]', 'web-3', false],
  ['web-[0-9]', 'web-7', true],
  ['web-[!0-9]', 'web-7', false],
  ['web-[^0-9]', 'web-x', true],
  ['[]x]', ']', true],
  ['[web', '[web', true],
  ['[web', 'w', false],
  ['a.c', 'abc', false],
  ['WEB', 'web', false],
] as const)('%s against %s is %s', ([pattern, name, isMatch]) => {
  expect(globMatcher(pattern)(name)).toBe(isMatch);
});

test('a hostile pattern takes no longer than a friendly one', () => {
  const matches = globMatcher('a*'.repeat(128));
  expect(matches(`${'a'.repeat(64_000)}`)).toBe(true);
  expect(globMatcher(`${'a*'.repeat(128)}b`)('a'.repeat(64_000))).toBe(false);
});

test('only words with a wildcard are patterns', () => {
  expect(['web*', 'w?b', '[w]eb', 'web', 'we.b-1_2'].map(isGlob)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
