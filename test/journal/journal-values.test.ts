import { expect, test } from 'vitest';
import { parseIntent } from '../../src/journal/journal-values.ts';

const OLD = {
  id: 4,
  want: 'stop',
  forced: false,
  restart: false,
  actor: 'local',
  requestedAtMs: 5,
};

test('an intent of an earlier build has no reason and no end', () => {
  expect(parseIntent(JSON.stringify(OLD))).toEqual({ ...OLD, reason: null, until: null });
});

test('an intent is read as it was written', () => {
  const intent = { ...OLD, reason: 'new disk', until: { wallMs: 10, monotonicMs: 20.25 } };
  expect(parseIntent(JSON.stringify(intent))).toEqual(intent);
});

test.each([
  ['no JSON', '{'],
  ['a list', '[]'],
  ['another reason', JSON.stringify({ ...OLD, reason: 7 })],
  ['half an end', JSON.stringify({ ...OLD, until: { wallMs: 1 } })],
  ['an end in words', JSON.stringify({ ...OLD, until: 'tomorrow' })],
  ['an unknown want', JSON.stringify({ ...OLD, want: 'pause' })],
])('what is no intent is none: %s', (_, text) => {
  expect(parseIntent(text)).toBeNull();
});
