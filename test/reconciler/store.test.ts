import { describe, expect, it } from 'vitest';
import type { DesiredService, DesiredState } from '../../src/model/desired.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { Store } from '../../src/reconciler/store.ts';
import { accepted, desired, name, WEB } from '../builders/specs.ts';

const state = (...services: DesiredService[]): DesiredState => ({
  services: new Map(services.map((service) => [service.name, service])),
  strayProblems: [],
  brakes: [],
});
const DB = name('db');
const database = (generation = 1) => desired(accepted({ name: DB }, generation));
const status: ServiceStatus = {
  name: WEB,
  phase: 'STOPPED',
  conditions: [],
  desired: null,
  intent: null,
  history: EMPTY_HISTORY,
  cgroup: { kind: 'absent' },
};

describe('the store', () => {
  it('names the services whose desired state changed, and no others', () => {
    const store = new Store();
    expect(store.setDesired(state(desired(), database()))).toEqual([WEB, DB]);
    // Made anew, but the same.
    expect(store.setDesired(state(desired(), database(2)))).toEqual([DB]);
    expect(store.setDesired(state(database(2)))).toEqual([WEB]);
    expect(store.desired.services.size).toBe(1);
  });

  it('knows a service by any of what is known of it', () => {
    const store = new Store();
    store.setDesired(state(desired()));
    store.setHistory(DB, EMPTY_HISTORY);
    store.setStatus({ ...status, name: name('cache') });
    expect([...store.names()]).toEqual(['web', 'db', 'cache']);
    expect(store.desiredOf(WEB)).toEqual(desired());
    expect(store.desiredOf(DB)).toBeNull();
    expect(store.history(DB)).toBe(EMPTY_HISTORY);
    expect(store.history(WEB)).toBeNull();
    expect(store.statuses().map((each) => each.name)).toEqual(['cache']);
  });

  it('forgets all that is known of a removed service', () => {
    const store = new Store();
    store.setHistory(WEB, EMPTY_HISTORY);
    store.setStatus(status);
    store.remove(WEB);
    expect([...store.names()]).toEqual([]);
    expect(store.status(WEB)).toBeNull();
  });

  it('tells its listeners of each changed status, after the change, until they leave', () => {
    const store = new Store();
    const told: unknown[] = [];
    const leave = store.subscribe((changed) =>
      told.push([changed, store.revision, store.status(changed)]),
    );
    store.setStatus(status);
    store.remove(WEB);
    leave();
    store.setStatus(status);
    expect(told).toEqual([
      [WEB, 1, status],
      [WEB, 2, null],
    ]);
    expect(store.revision).toBe(3);
  });
});
