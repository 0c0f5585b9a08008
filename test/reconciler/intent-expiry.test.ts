import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DesiredState } from '../../src/model/desired.ts';
import { Controller } from '../../src/reconciler/controller.ts';
import { Store } from '../../src/reconciler/store.ts';
import { intent } from '../builders/situations.ts';
import { accepted, desired, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeMachine } from '../fakes/fake-machine.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** One service on a simulated host, whose daemon can be killed and replaced. */
class Host {
  readonly clock = new FakeClock();
  readonly machine = new FakeMachine(this.clock);
  store = new Store();
  #controller: Controller;
  readonly #desired: DesiredState;

  constructor(changes: Parameters<typeof accepted>[0] = {}) {
    const services = new Map([[WEB, desired(accepted(changes))]]);
    this.#desired = { services, strayProblems: [], brakes: [] };
    this.#controller = this.#boot();
  }

  #boot(): Controller {
    this.store = new Store();
    const controller = new Controller(this.store, this.machine.ports());
    this.machine.onChange = (name) => controller.enqueue(name);
    this.machine.onExit = (name, runNumber, exit) =>
      controller.record(name, { kind: 'launched-exit', runNumber, exit, at: this.clock.now() });
    controller.applyDesired(this.#desired, [WEB]);
    return controller;
  }

  async replaceDaemon(): Promise<void> {
    await this.stop();
    this.#controller = this.#boot();
  }

  stop(): Promise<void> {
    return this.#controller.stop();
  }

  stopFor(forMs: number): void {
    const { wallMs, monotonicMs } = this.clock.now();
    const until = { wallMs: wallMs + forMs, monotonicMs: monotonicMs + forMs };
    this.machine.intents.set(WEB, intent({ want: 'stop', requestedAtMs: wallMs, until }));
    this.#controller.enqueue(WEB);
  }

  /** Lets simulated time pass: nothing is enqueued but by timers and the machine itself. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    for (;;) {
      for (let turns = 0; turns < 8; turns += 1) await turn();
      const leftMs = endMs - this.clock.monotonicMs();
      if (leftMs <= 0) return;
      const nextMs = this.clock.nextTimerMs() ?? endMs;
      this.clock.advance(Math.min(Math.max(nextMs - this.clock.monotonicMs(), 0), leftMs));
    }
  }

  phase(): string | undefined {
    return this.store.status(WEB)?.phase;
  }
}

test('a stop with an end is over by itself, is told once and kept no longer', async () => {
  const host = new Host();
  await host.pass(100);
  host.stopFor(7_200_000);
  await host.pass(7_199_000);
  expect([host.phase(), host.machine.intents.size]).toEqual(['STOPPED', 1]);
  await host.pass(2_000);
  expect([host.phase(), host.machine.intents.size]).toEqual(['RUNNING', 0]);
  expect(host.store.status(WEB)?.intent).toBeNull();
  await host.pass(100_000);
  expect(host.machine.events.filter((event) => event.includes('intent'))).toEqual([
    'web intent.expired',
  ]);
  await host.stop();
});

test('after its end a service is as if nobody had stopped it, whatever came in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        enabled: fc.boolean(),
        beforeMs: fc.constantFrom(0, 3, 100, 5_000),
        forMs: fc.constantFrom(1_000, 4_000, 60_000, 7_200_000),
        obeysAfterMs: fc.constantFrom(20, 3_000, null),
        stepMs: fc.constantFrom(0, 86_400_000, -86_400_000),
        replaceAfterMs: fc.constantFrom(null, 0, 500, 2_000),
      }),
      async ({ enabled, beforeMs, forMs, obeysAfterMs, stepMs, replaceAfterMs }) => {
        const host = new Host({ enabled });
        host.machine.setTemper(WEB, { obeysAfterMs });
        await host.pass(beforeMs);
        host.stopFor(forMs);
        const overMs = host.clock.monotonicMs() + forMs;
        host.clock.stepWall(stepMs);
        if (replaceAfterMs !== null) {
          await host.pass(replaceAfterMs);
          await host.replaceDaemon();
        }
        if (host.clock.monotonicMs() < overMs - 1) {
          await host.pass(overMs - 1 - host.clock.monotonicMs());
          expect(host.machine.intents.size).toBe(1);
          expect(['STOPPED', 'STOPPING']).toContain(host.phase());
        }
        // Longer than any grace that was still going on.
        await host.pass(20_000);
        expect(host.phase()).toBe(enabled ? 'RUNNING' : 'DISABLED');
        expect(host.machine.isRunning(WEB)).toBe(enabled);
        expect(host.machine.intents.size).toBe(0);
        expect(host.machine.violations).toEqual([]);
        await host.stop();
      },
    ),
    { numRuns: 60 },
  );
});
