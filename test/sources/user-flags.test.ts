import { describe, expect, it } from 'vitest';
import type { ServiceName } from '../../src/model/service-name.ts';
import type { UserFlag } from '../../src/model/user-flag.ts';
import { UserFlags } from '../../src/sources/user-flags.ts';
import { name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const DB = name('db');
const START_MS = 1_000_000;

const flag = (text: string, expiresAtMs: number | null = null): UserFlag => ({
  ...{ name: text, expiresAtMs, setAtMs: START_MS, actor: 'ann' },
});

function open(
  stored = new Map<ServiceName, readonly UserFlag[]>(),
  clock = new FakeClock(START_MS),
) {
  const told: string[] = [];
  const port = {
    load: () => [...stored],
    save: (service: ServiceName, flags: readonly UserFlag[]) => stored.set(service, flags),
  };
  const flags = new UserFlags(port, clock, {
    onExpired: (service, one) => told.push(`${service} ${one.name} expired`),
    onForgotten: (service, one) => told.push(`${service} ${one.name} forgotten`),
  });
  return { flags, stored, clock, told };
}

describe('user flags', () => {
  it('are there as they were saved, also for the next daemon', () => {
    const { flags, stored } = open();
    flags.save(WEB, [flag('a'), flag('b')]);
    expect([flags.of(WEB), flags.of(DB)]).toEqual([[flag('a'), flag('b')], []]);
    expect(open(stored).flags.of(WEB)).toEqual([flag('a'), flag('b')]);
    expect(open(stored).flags.names()).toEqual([WEB]);
  });

  it('end at their time, each told once', () => {
    const { flags, stored, clock, told } = open();
    flags.save(WEB, [flag('a', START_MS + 5_000), flag('b', START_MS + 9_000), flag('c')]);
    clock.advance(4_999);
    expect([flags.of(WEB).length, told]).toEqual([3, []]);
    clock.advance(1);
    expect([stored.get(WEB), told]).toEqual([
      [flag('b', START_MS + 9_000), flag('c')],
      ['web a expired'],
    ]);
    clock.advance(60_000);
    expect([stored.get(WEB), told]).toEqual([[flag('c')], ['web a expired', 'web b expired']]);
    expect(clock.nextTimerMs()).toBeNull();
  });

  it('do not hold any more when the clock was put forward, before that is noticed', () => {
    const { flags, clock } = open();
    flags.save(WEB, [flag('a', START_MS + 60_000)]);
    clock.stepWall(60_000);
    expect(flags.of(WEB)).toEqual([]);
  });

  it('that ended while no daemon was there end with the next one', () => {
    const stored = new Map([[WEB, [flag('a', START_MS - 1)]]]);
    const { flags, told } = open(stored);
    expect(flags.of(WEB)).toEqual([]);
    flags.watchTime();
    expect([stored.get(WEB), told, flags.names()]).toEqual([[], ['web a expired'], []]);
  });

  it('go with their service, and are told of', () => {
    const { flags, stored, told } = open();
    flags.save(WEB, [flag('a')]);
    flags.forget(WEB);
    flags.forget(WEB);
    expect([flags.of(WEB), stored.get(WEB), told]).toEqual([[], [], ['web a forgotten']]);
  });

  it('wait for nothing once closed, and are saved again where they were lost', () => {
    const { flags, stored, clock } = open();
    flags.save(WEB, [flag('a', START_MS + 5_000)]);
    stored.clear();
    flags.saveAll();
    flags.close();
    expect(stored.get(WEB)).toEqual([flag('a', START_MS + 5_000)]);
    expect(clock.nextTimerMs()).toBeNull();
  });
});
