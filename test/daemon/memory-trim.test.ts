import { describe, expect, it } from 'vitest';
import { trimMemoryAfterBursts } from '../../src/daemon/memory-trim.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import { Store } from '../../src/reconciler/store.ts';
import { WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

function change(store: Store, times: number): void {
  for (let time = 0; time < times; time += 1) {
    store.setStatus({
      name: WEB,
      phase: 'STOPPED',
      conditions: [],
      desired: null,
      intent: null,
      history: EMPTY_HISTORY,
      cgroup: { kind: 'absent' },
    });
  }
}

describe('memory', () => {
  function world() {
    const store = new Store();
    const clock = new FakeClock();
    let trims = 0;
    const stop = trimMemoryAfterBursts(store, clock, () => {
      trims += 1;
    });
    return { store, clock, stop, trims: () => trims };
  }

  /** The start is over and has been cleaned up after. */
  function started() {
    const made = world();
    change(made.store, 1);
    made.clock.advance(5_000);
    return made;
  }

  it('is given back after the first change, which is part of the daemon’s start', () => {
    const { store, clock, trims } = world();
    change(store, 1);
    clock.advance(5_000);
    expect(trims()).toBe(1);
  });

  it('is given back once, when a burst has been over for five seconds', () => {
    const { store, clock, trims } = started();
    change(store, 100);
    clock.advance(4_999);
    change(store, 1);
    clock.advance(4_999);
    expect(trims()).toBe(1);
    clock.advance(1);
    expect(trims()).toBe(2);
    clock.advance(60_000);
    expect(trims()).toBe(2);
  });

  it('is not looked at for the changes of a day’s work', () => {
    const { store, clock, trims } = started();
    change(store, 99);
    clock.advance(60_000);
    expect(trims()).toBe(1);
  });

  it('is left alone once that was ended', () => {
    const { store, clock, stop, trims } = world();
    change(store, 200);
    stop();
    clock.advance(60_000);
    expect(trims()).toBe(0);
  });

  it('really is collected', async () => {
    const store = new Store();
    const clock = new FakeClock();
    trimMemoryAfterBursts(store, clock);
    const garbage = new WeakRef({ of: 'no use' });
    // A WeakRef keeps its target until the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    change(store, 100);
    clock.advance(5_000);
    expect(garbage.deref()).toBeUndefined();
  });
});
