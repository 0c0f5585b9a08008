import { expect, it } from 'vitest';
import { Sessions } from '../../../src/web/server/auth/sessions.ts';

const MINUTE_MS = 60_000;

function rig() {
  const clock = { nowMs: 1_000_000 };
  return { clock, sessions: new Sessions(() => clock.nowMs) };
}

it('a session is known by its secret alone, which nobody can guess', () => {
  const { sessions } = rig();
  const secrets = Array.from({ length: 100 }, () => sessions.begin('ana'));
  expect(new Set(secrets).size).toBe(100);
  expect(secrets.every((secret) => Buffer.from(secret, 'base64url').length === 32)).toBe(true);
  const [one = '', other = ''] = secrets;
  expect(sessions.find(one)?.user).toBe('ana');
  expect(sessions.find(one)?.csrf).not.toBe(sessions.find(other)?.csrf);
  expect([sessions.find(''), sessions.find(`${one}x`)]).toEqual([null, null]);
});

it('it is over after half an hour without use, and after twelve hours with it', () => {
  const { clock, sessions } = rig();
  const idle = sessions.begin('ana');
  clock.nowMs += 30 * MINUTE_MS;
  expect(sessions.find(idle)).not.toBeNull();
  clock.nowMs += 30 * MINUTE_MS + 1;
  expect(sessions.find(idle)).toBeNull();
  const busy = sessions.begin('ana');
  for (let minute = 0; minute < 720; minute += 20) {
    expect(sessions.find(busy)).not.toBeNull();
    clock.nowMs += 20 * MINUTE_MS;
  }
  clock.nowMs += 1;
  expect(sessions.find(busy)).toBeNull();
});

it('it is over when it is ended, and when a thousand others are used later', () => {
  const { sessions } = rig();
  const ended = sessions.begin('ana');
  sessions.end(ended);
  expect(sessions.find(ended)).toBeNull();
  const [unused, used] = [sessions.begin('ana'), sessions.begin('ana')];
  sessions.find(used);
  for (let n = 0; n < 999; n += 1) sessions.begin('eve');
  expect(sessions.find(unused)).toBeNull();
  expect(sessions.find(used)?.user).toBe('ana');
});
