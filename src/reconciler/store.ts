import { isDeepStrictEqual } from 'node:util';
import type { DesiredService, DesiredState } from '../model/desired.ts';
import type { History } from '../model/history.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';

const NOTHING_DESIRED: DesiredState = { services: new Map(), strayProblems: [], brakes: [] };

/**
 * What is known, by service. Three writers, three kinds: sources write the desired state, facts
 * write the history, the reconciler writes the status.
 *
 * INVARIANTS: `revision` grows with every change of a status; a listener is told a name after the
 * change; nothing here starts anything.
 */
export class Store {
  #desired: DesiredState = NOTHING_DESIRED;
  readonly #histories = new Map<ServiceName, History>();
  readonly #statuses = new Map<ServiceName, ServiceStatus>();
  readonly #listeners = new Set<(name: ServiceName) => void>();
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  get desired(): DesiredState {
    return this.#desired;
  }

  /** Takes over a new desired state; returns the names whose part of it changed. */
  setDesired(desired: DesiredState): readonly ServiceName[] {
    const before = this.#desired.services;
    this.#desired = desired;
    const names = new Set([...before.keys(), ...desired.services.keys()]);
    return [...names].filter(
      (name) => !isDeepStrictEqual(before.get(name), desired.services.get(name)),
    );
  }

  desiredOf(name: ServiceName): DesiredService | null {
    return this.#desired.services.get(name) ?? null;
  }

  /** `null` for a service that nothing was loaded or recorded of yet. */
  history(name: ServiceName): History | null {
    return this.#histories.get(name) ?? null;
  }

  setHistory(name: ServiceName, history: History): void {
    this.#histories.set(name, history);
  }

  status(name: ServiceName): ServiceStatus | null {
    return this.#statuses.get(name) ?? null;
  }

  /** All statuses, in no particular order. */
  statuses(): readonly ServiceStatus[] {
    return [...this.#statuses.values()];
  }

  setStatus(status: ServiceStatus): void {
    this.#statuses.set(status.name, status);
    this.#changed(status.name);
  }

  /** Drops everything about a service that is no longer defined and no longer runs. */
  remove(name: ServiceName): void {
    this.#histories.delete(name);
    this.#statuses.delete(name);
    this.#changed(name);
  }

  /** Every name that anything is known of. */
  names(): ReadonlySet<ServiceName> {
    return new Set([
      ...this.#desired.services.keys(),
      ...this.#histories.keys(),
      ...this.#statuses.keys(),
    ]);
  }

  /** Calls `listener` with each name whose status changed; the result ends that. */
  subscribe(listener: (name: ServiceName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(name: ServiceName): void {
    this.#revision += 1;
    for (const listener of [...this.#listeners]) listener(name);
  }
}
