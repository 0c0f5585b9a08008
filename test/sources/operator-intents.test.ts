import { describe, expect, it } from 'vitest';
import type { Intent } from '../../src/model/intent.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import { OperatorIntents } from '../../src/sources/operator-intents.ts';
import { name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const STOP = { want: 'stop', forced: false, restart: false, actor: 'local' } as const;

/** A port over a map that outlives the daemon. */
function portOver(stored: Map<ServiceName, Intent>) {
  return {
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
    expect(intents.record(WEB, STOP)).toEqual({ ...STOP, id: 1, requestedAtMs: 5_000 });
    expect(intents.record(name('db'), STOP).id).toBe(2);
    expect(intents.get(WEB)?.id).toBe(1);
  });

  it('survive the daemon, and go on counting', () => {
    const stored = new Map<ServiceName, Intent>();
    new OperatorIntents(portOver(stored), new FakeClock()).record(WEB, STOP);
    const next = new OperatorIntents(portOver(stored), new FakeClock());
    expect(next.get(WEB)).toMatchObject(STOP);
    expect(next.record(WEB, { ...STOP, want: 'run' }).id).toBe(2);
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
      save: () => {
        throw new Error('disk full');
      },
    };
    const intents = new OperatorIntents(failing, new FakeClock());
    expect(() => intents.record(WEB, STOP)).toThrow('disk full');
    expect(intents.get(WEB)).toBeNull();
  });
});
