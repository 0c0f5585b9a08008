import type { DesiredState } from '../../src/model/desired.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import type { AcceptedSpec } from '../../src/model/service-spec.ts';
import { Controller } from '../../src/reconciler/controller.ts';
import { Store } from '../../src/reconciler/store.ts';
import { intent } from '../builders/situations.ts';
import { accepted, type spec } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeMachine } from '../fakes/fake-machine.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
export const RELIST_MS = 60_000;

/** A daemon's loop on a simulated host, driven by a simulated clock. */
export class World {
  readonly clock: FakeClock;
  readonly machine: FakeMachine;
  readonly specs = new Map<ServiceName, AcceptedSpec>();
  readonly #silent: boolean;
  store = new Store();
  controller: Controller;
  #nextIntentId = 1;

  /** `silent`: no watcher ever tells anything; only the relist finds out. */
  constructor(silent = false, wallMs?: number) {
    this.#silent = silent;
    this.clock = new FakeClock(wallMs);
    this.machine = new FakeMachine(this.clock);
    this.controller = this.#boot();
  }

  #boot(): Controller {
    this.store = new Store();
    const controller = new Controller(this.store, this.machine.ports());
    this.machine.onChange = (changed) => {
      if (!this.#silent) controller.enqueue(changed);
    };
    this.machine.onExit = (changed, runNumber, exit) =>
      controller.record(changed, { kind: 'launched-exit', runNumber, exit, at: this.clock.now() });
    return controller;
  }

  /** SIGKILL of the daemon, and the next one. */
  async reboot(): Promise<void> {
    const stopped = this.controller.stop();
    // A pass may wait for the end of its turn, and a turn is a timer here.
    this.clock.advance(0);
    await stopped;
    this.controller = this.#boot();
    this.controller.applyDesired(this.#desired(), [...this.machine.histories.keys()]);
  }

  define(
    serviceName: ServiceName,
    changes: Parameters<typeof spec>[0] = {},
    restartHash?: string,
  ): void {
    const generation = (this.specs.get(serviceName)?.generation ?? 0) + 1;
    this.specs.set(
      serviceName,
      accepted({ ...changes, name: serviceName }, generation, restartHash),
    );
    this.controller.applyDesired(this.#desired());
  }

  remove(serviceName: ServiceName): void {
    this.specs.delete(serviceName);
    this.controller.applyDesired(this.#desired());
  }

  ask(serviceName: ServiceName, want: 'run' | 'stop', restart = false): number {
    const id = this.#nextIntentId++;
    this.machine.intents.set(serviceName, intent({ id, want, restart }));
    this.controller.enqueue(serviceName);
    return id;
  }

  /** Lets simulated time pass until `ms` later, with the loop working in between. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    let relistMs = this.clock.monotonicMs() + RELIST_MS;
    await this.#work();
    while (this.clock.monotonicMs() < endMs) {
      const nextMs = Math.min(this.clock.nextTimerMs() ?? endMs, endMs, relistMs);
      this.clock.advance(Math.max(nextMs - this.clock.monotonicMs(), 0));
      if (this.clock.monotonicMs() >= relistMs) {
        relistMs += RELIST_MS;
        this.controller.enqueueAll();
      }
      await this.#work();
    }
  }

  async #work(): Promise<void> {
    for (let turns = 0; turns < 8; turns += 1) await turn();
  }

  #desired(): DesiredState {
    const services = new Map(
      [...this.specs].map(
        ([key, value]) => [key, { name: key, accepted: value, trouble: null }] as const,
      ),
    );
    const before = this.store.desired.services;
    for (const [key, value] of services) {
      const same = before.get(key);
      if (same?.accepted === value.accepted && same !== undefined)
        services.set(key, same as typeof value);
    }
    return { services, strayProblems: [], brakes: [] };
  }
}
