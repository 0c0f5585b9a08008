import { describe, expect, it } from 'vitest';
import { Attempts } from '../../../src/web/server/auth/attempts.ts';

describe('wrong passwords', () => {
  function rig() {
    const clock = { nowMs: 1_000_000 };
    return { clock, attempts: new Attempts(() => clock.nowMs) };
  }

  it('make an address wait ever longer, up to a minute, and no other', () => {
    const { clock, attempts } = rig();
    const waits = Array.from({ length: 14 }, (_, n) => {
      attempts.failed('10.0.0.1', `user-${n}`);
      return attempts.waitMs('10.0.0.1', 'ana');
    });
    expect(waits.slice(0, 8)).toEqual([0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(60_000);
    expect(attempts.waitMs('10.0.0.2', 'ana')).toBe(0);
    clock.nowMs += 59_999;
    expect(attempts.waitMs('10.0.0.1', 'ana')).toBe(1);
    clock.nowMs += 1;
    expect(attempts.waitMs('10.0.0.1', 'ana')).toBe(0);
  });

  it('of one user from many addresses make that user wait, later', () => {
    const { attempts } = rig();
    for (let n = 0; n < 19; n += 1) attempts.failed(`10.0.0.${n}`, 'ana');
    expect(attempts.waitMs('10.0.1.1', 'ana')).toBe(0);
    attempts.failed('10.0.0.20', 'ana');
    expect(attempts.waitMs('10.0.1.1', 'ana')).toBe(1_000);
    expect(attempts.waitMs('10.0.1.1', 'eve')).toBe(0);
  });

  it('are forgotten after a success, and after a quarter of an hour without one', () => {
    const { clock, attempts } = rig();
    for (let n = 0; n < 6; n += 1) attempts.failed('10.0.0.1', 'ana');
    attempts.succeeded('10.0.0.1', 'ana');
    expect(attempts.waitMs('10.0.0.1', 'ana')).toBe(0);
    for (let n = 0; n < 6; n += 1) attempts.failed('10.0.0.1', 'ana');
    clock.nowMs += 900_001;
    attempts.failed('10.0.0.1', 'ana');
    expect(attempts.waitMs('10.0.0.1', 'ana')).toBe(0);
  });

  it('take bounded memory under however many names', () => {
    const { attempts } = rig();
    for (let n = 0; n < 5; n += 1) attempts.failed('10.0.0.1', 'first');
    expect(attempts.waitMs('10.0.0.1', 'x')).toBe(1_000);
    for (let n = 0; n < 6_000; n += 1) attempts.failed(`address-${n}`, `user-${n}`);
    // What failed longest ago has made room.
    expect(attempts.waitMs('10.0.0.1', 'x')).toBe(0);
  });
});
