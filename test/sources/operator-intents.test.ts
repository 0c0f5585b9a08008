import { describe, expect, it } from 'vitest';
import type { Intent } from '../../src/model/intent.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import { OperatorIntents } from '../../src/sources/operator-intents.ts';
import { name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const STOP = {
  want: 'stop',
  forced: false,
  restart: false,
  actor: 'local',
  reason: null,
  forMs: null,
} as const;
const STOPPED = { want: 'stop', actor: 'local', reason: null, until: null } as const;

/** A port over a map that outlives the daemon. */
function portOver(stored: Map<ServiceName, Intent>, counter = { last: 0 }) {
  return {
    nextId: (lastKnown: number) => {
      counter.last = Math.max(counter.last, lastKnown) + 1;
      return counter.last;
    },
    load: () => [...stored],
    save: (service: ServiceName, intent: Intent | null) => {
      if (intent === null) stored.delete(service);
      else stored.set(service, intent);
    },
  };
}

describe('operator intents', () => {
  it('are remembered, numbered and timed', () => {
    const clock = new FakeClock(5_000);
    const intents = new OperatorIntents(portOver(new Map()), clock);
    expect(intents.get(WEB)).toBeNull();
    expect(intents.record(WEB, STOP)).toEqual({
      ...STOPPED,
      forced: false,
      restart: false,
      id: 1,
      requestedAtMs: 5_000,
    });
    expect(intents.record(name('db'), STOP).id).toBe(2);
    expect(intents.get(WEB)?.id).toBe(1);
  });

  it('survive the daemon, and go on counting', () => {
    const stored = new Map<ServiceName, Intent>();
    new OperatorIntents(portOver(stored), new FakeClock()).record(WEB, STOP);
    const next = new OperatorIntents(portOver(stored), new FakeClock());
    expect(next.get(WEB)).toMatchObject(STOPPED);
    expect(next.record(WEB, { ...STOP, want: 'run' }).id).toBe(2);
  });

  it('have a reason and an end, by both clocks, when they were given', () => {
    const clock = new FakeClock(5_000);
    const intents = new OperatorIntents(portOver(new Map()), clock);
    const { monotonicMs } = clock.now();
    const asked = { ...STOP, reason: 'new disk', forMs: 60_000 };
    expect(intents.record(WEB, asked)).toMatchObject({
      reason: 'new disk',
      until: { wallMs: 65_000, monotonicMs: monotonicMs + 60_000 },
    });
    expect(intents.get(WEB)).not.toHaveProperty('forMs');
  });

  it('never have the number of one that is gone', () => {
    const stored = new Map<ServiceName, Intent>();
    const counter = { last: 0 };
    const intents = new OperatorIntents(portOver(stored, counter), new FakeClock());
    intents.record(WEB, STOP);
    intents.forget(WEB);
    const next = new OperatorIntents(portOver(stored, counter), new FakeClock());
    expect(next.record(WEB, STOP).id).toBe(2);
  });

  it('go on from what is stored where nobody counted yet', () => {
    const stored = new Map<ServiceName, Intent>();
    new OperatorIntents(portOver(stored, { last: 6 }), new FakeClock()).record(WEB, STOP);
    const next = new OperatorIntents(portOver(stored), new FakeClock());
    expect(next.record(WEB, STOP).id).toBe(8);
  });

  it('are forgotten with their service', () => {
    const stored = new Map<ServiceName, Intent>();
    const intents = new OperatorIntents(portOver(stored), new FakeClock());
    intents.record(WEB, STOP);
    intents.forget(WEB);
    expect(intents.get(WEB)).toBeNull();
    expect(stored.size).toBe(0);
  });

  it('that could not be saved were not accepted', () => {
    const failing = {
      load: () => [],
      nextId: () => 1,
      save: () => {
        throw new Error('disk full');
      },
    };
    const intents = new OperatorIntents(failing, new FakeClock());
    expect(() => intents.record(WEB, STOP)).toThrow('disk full');
    expect(intents.get(WEB)).toBeNull();
  });
});
