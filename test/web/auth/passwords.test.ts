import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { Passwords } from '../../../src/web/server/auth/passwords.ts';

const COST = 6;
const clock = { nowMs: 0 };
const users = [
  { name: 'ana', hash: hashSync('secret', COST) },
  { name: 'yves', hash: hashSync('other', COST).replace('$2b$', '$2y$') },
];

describe('passwords', () => {
  it.each([
    ['ana', 'secret', 'right'],
    ['yves', 'other', 'right'],
    ['ana', 'other', 'wrong'],
    ['ana', '', 'wrong'],
    ['eve', 'secret', 'wrong'],
    ['ana:secret', '', 'wrong'],
    ['ana', 'x'.repeat(100), 'wrong'],
  ])('%s with %j is %s', async (name, password, verdict) => {
    expect(await new Passwords(users, () => clock.nowMs).check(name, password)).toBe(verdict);
  });

  it('that were right are remembered for ten minutes, those that were wrong are not', async () => {
    const passwords = new Passwords(
      [{ name: 'ana', hash: hashSync('secret', 10) }],
      () => clock.nowMs,
    );
    const took = async (password: string) => {
      const before = process.cpuUsage();
      await passwords.check('ana', password);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const firstUs = await took('secret');
    expect(await took('secret')).toBeLessThan(firstUs / 4);
    expect(await took('wrong')).toBeGreaterThan(firstUs / 4);
    clock.nowMs += 600_001;
    expect(await took('secret')).toBeGreaterThan(firstUs / 4);
  });

  it('of users that there are not take as long as those of some that there are', async () => {
    const passwords = new Passwords(
      [{ name: 'ana', hash: hashSync('secret', 12) }],
      () => clock.nowMs,
    );
    const tookUs = async (name: string) => {
      const before = process.cpuUsage();
      await passwords.check(name, 'guess');
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const known = await tookUs('ana');
    const unknown = await tookUs('eve');
    expect(unknown / known).toBeGreaterThan(0.4);
    expect(unknown / known).toBeLessThan(2.5);
  });

  it('are checked two at a time; who comes when many wait is told so', async () => {
    const passwords = new Passwords(users, () => clock.nowMs);
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, (_, n) => passwords.check('ana', `guess ${n}`)),
    );
    expect(verdicts.filter((verdict) => verdict === 'busy')).toHaveLength(34);
    expect(await passwords.check('ana', 'secret')).toBe('right');
  });
});
