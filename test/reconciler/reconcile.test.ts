import { isDeepStrictEqual } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import type { ActionKind } from '../../src/model/action.ts';
import type { DesiredService } from '../../src/model/desired.ts';
import type { ServiceEvent } from '../../src/model/event.ts';
import type { Fact } from '../../src/model/fact.ts';
import { EMPTY_HISTORY, type History } from '../../src/model/history.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { Observation } from '../../src/model/observation.ts';
import { Controller } from '../../src/reconciler/controller.ts';
import { Reconciler } from '../../src/reconciler/reconcile.ts';
import type { ReconcilePorts } from '../../src/reconciler/reconcile-ports.ts';
import { Store } from '../../src/reconciler/store.ts';
import {
  absent,
  activeHistory,
  empty,
  endedHistory,
  exited,
  intent,
  running,
  stopProgress,
} from '../builders/situations.ts';
import { accepted, desired, name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** Ports that note what is asked of them, in order. */
class Bench {
  readonly clock = new FakeClock();
  readonly store = new Store();
  readonly calls: string[] = [];
  readonly saved: History[] = [];
  readonly events: ServiceEvent[] = [];
  observation: Observation = absent;
  stored: History = EMPTY_HISTORY;
  wanted: Intent | null = null;
  fail: unknown = null;
  cannotLaunch: unknown = null;
  facts: readonly Fact[] = [];

  readonly #actuator = (kind: ActionKind) => async () => {
    this.calls.push(kind);
    if (this.fail !== null) throw this.fail;
    return this.facts;
  };

  readonly ports: ReconcilePorts = {
    clock: this.clock,
    random: () => 0.5,
    hostId: 'host',
    observe: () => this.observation,
    isUnchanged: (_name, shown) => isDeepStrictEqual(this.observation.cgroup, shown),
    watch: () => this.calls.push('watch'),
    intentOf: () => this.wanted,
    environmentOf: () => null,
    intentOver: () => {
      this.calls.push('intent over');
      this.wanted = null;
    },
    actuators: {
      provision: this.#actuator('provision'),
      start: this.#actuator('start'),
      signal: this.#actuator('signal'),
      'stop-command': this.#actuator('stop-command'),
      limit: this.#actuator('limit'),
      kill: this.#actuator('kill'),
      'capture-logs': this.#actuator('capture-logs'),
      'record-slots': this.#actuator('record-slots'),
      'remove-cgroup': this.#actuator('remove-cgroup'),
      forget: this.#actuator('forget'),
    },
    canLaunch: async () => {
      if (this.cannotLaunch !== null) throw this.cannotLaunch;
    },
    loadHistory: () => {
      this.calls.push('load');
      return this.stored;
    },
    saveHistory: (_name, history) => {
      this.calls.push('save');
      this.saved.push(history);
    },
    flushHistory: () => this.calls.push('flush'),
    emit: (event) => {
      this.calls.push(event.kind);
      this.events.push(event);
    },
    forgotten: (forgotten) => this.calls.push(`forgotten ${forgotten}`),
  };

  define(...services: DesiredService[]): void {
    const byName = new Map(services.map((service) => [service.name, service] as const));
    this.store.setDesired({ services: byName, strayProblems: [], brakes: [] });
  }

  types(): readonly string[] | undefined {
    return this.store.status(WEB)?.conditions.map((condition) => condition.type);
  }
}

describe('a pass', () => {
  let bench: Bench;
  let reconciler: Reconciler;
  beforeEach(() => {
    bench = new Bench();
    bench.define(desired());
    reconciler = new Reconciler(bench.store, bench.ports);
  });

  /** The service was started and runs. */
  function givenRunning(): void {
    bench.stored = activeHistory();
    bench.observation = running(100);
  }

  it('records what it is about to start before it starts it', async () => {
    const pass = await reconciler.reconcile(WEB);
    expect(bench.calls).toEqual(['load', 'save', 'save', 'service.starting', 'flush', 'start']);
    expect(bench.saved.at(-1)?.run).toMatchObject({
      number: 1,
      launchedAt: bench.clock.now(),
      intentId: 0,
      reason: 'it is enabled',
    });
    // As a rule it is heard of before.
    expect(pass.requeueAfterMs).toBe(50);
  });

  it('begins nothing that still waits for its turn when the daemon ends', async () => {
    const names = Array.from({ length: 17 }, (_, index) => name(`web-${index}`));
    bench.define(...names.map((each) => desired(accepted({ name: each }))));
    const ready = Promise.withResolvers<void>();
    const ports = { ...bench.ports, canLaunch: () => ready.promise };
    const slow = new Reconciler(bench.store, ports);
    const passes = names.map((each) => slow.reconcile(each));
    expect(slow.hasStartsWaiting).toBe(true);
    slow.shutDown();
    ready.resolve();
    await Promise.all(passes);
    expect(bench.calls.filter((call) => call === 'start')).toHaveLength(16);
  });

  it('loads a history once', async () => {
    givenRunning();
    await reconciler.reconcile(WEB);
    await reconciler.reconcile(WEB);
    expect(bench.calls.filter((call) => call === 'load')).toHaveLength(1);
  });

  it('saves, writes and says nothing when nothing changed', async () => {
    givenRunning();
    await reconciler.reconcile(WEB);
    const revision = bench.store.revision;
    bench.calls.length = 0;
    const pass = await reconciler.reconcile(WEB);
    expect(bench.calls).toEqual(['watch']);
    expect(bench.store.revision).toBe(revision);
    expect(pass.requeueAfterMs).toBeNull();
  });

  it('watches only what is there to be watched', async () => {
    bench.wanted = intent({ want: 'stop' });
    await reconciler.reconcile(WEB);
    expect(bench.calls).not.toContain('watch');
  });

  it.each(['signal', 'stop-command'] as const)(
    'records a stop by %s before it is begun',
    async (kind) => {
      givenRunning();
      bench.wanted = intent({ want: 'stop' });
      const accepted = desired().accepted;
      if (kind === 'stop-command' && accepted !== null) {
        const spec = { ...accepted.spec, stop: { kind: 'command', argv: ['./stop.sh'] } } as const;
        bench.define({ ...desired(), accepted: { ...accepted, spec } });
      }
      await reconciler.reconcile(WEB);
      const begun = stopProgress({ requestedAt: bench.clock.now(), askedAtMonotonicMs: null });
      const asked = { ...begun, askedAtMonotonicMs: bench.clock.monotonicMs() };
      expect(bench.saved.map((history) => history.stop)).toEqual([begun, asked]);
      const relevant = bench.calls.filter((call) => call === 'save' || call === kind);
      expect(relevant).toEqual(['save', kind, 'save']);
    },
  );

  it('sends a signal at once when the stop command cannot be run, and says why', async () => {
    givenRunning();
    bench.wanted = intent({ want: 'stop' });
    const accepted = desired().accepted;
    if (accepted === null) throw new Error('the builder gives a spec');
    const spec = { ...accepted.spec, stop: { kind: 'command', argv: ['./nosuch'] } } as const;
    bench.define({ ...desired(), accepted: { ...accepted, spec } });
    bench.fail = new Error('no such file');
    expect((await reconciler.reconcile(WEB)).requeueAfterMs).toBe(0);
    expect(bench.events.at(-1)).toMatchObject({
      kind: 'service.action-failed',
      message: 'the stop command cannot be run, a signal is sent: no such file',
    });
    bench.fail = null;
    await reconciler.reconcile(WEB);
    expect(bench.calls.filter((call) => call === 'signal' || call === 'stop-command')).toEqual([
      'stop-command',
      'signal',
    ]);
  });

  it('asks again when asking failed', async () => {
    givenRunning();
    bench.wanted = intent({ want: 'stop' });
    bench.fail = new Error('EIO');
    await reconciler.reconcile(WEB);
    bench.fail = null;
    await reconciler.reconcile(WEB);
    await reconciler.reconcile(WEB);
    expect(bench.calls.filter((call) => call === 'signal')).toHaveLength(2);
  });

  it('records a kill before it is done', async () => {
    givenRunning();
    bench.observation = running(100, 101);
    bench.wanted = intent({ want: 'stop' });
    await reconciler.reconcile(WEB);
    bench.clock.advance(5_000);
    await reconciler.reconcile(WEB);
    expect(bench.calls.at(-1)).toBe('kill');
    expect(bench.saved.at(-1)?.stop).toMatchObject({
      killed: 2,
      killedAtMonotonicMs: bench.clock.monotonicMs(),
    });
  });

  it('counts no process where none is seen', async () => {
    givenRunning();
    bench.wanted = intent({ want: 'stop' });
    const seen = [running(100), empty];
    const ports = { ...bench.ports, observe: () => seen.shift() ?? empty };
    await new Reconciler(bench.store, ports).reconcile(WEB);
    expect(bench.saved.at(-1)?.stop?.processes).toBe(0);
  });

  it('records what an actuator learned', async () => {
    bench.facts = [{ kind: 'launched', runNumber: 1, main: { pid: 5, startTicks: 6 } }];
    await reconciler.reconcile(WEB);
    expect(bench.saved.at(-1)?.main).toEqual({ pid: 5, startTicks: 6 });
  });

  it.each([
    [
      'with the stage it says',
      new ProcessmasterError('launch_failed', 'no such user', { stage: 'resolve user' }),
      'resolve user',
    ],
    ['without a stage', new ProcessmasterError('io', 'no such user'), 'launch'],
    ['of another kind', new Error('no such user'), 'launch'],
  ])('takes a start that failed %s for the end of that run', async (_title, error, stage) => {
    bench.fail = error;
    expect((await reconciler.reconcile(WEB)).requeueAfterMs).toBe(0);
    expect(bench.saved.at(-1)?.launchedExit).toEqual({
      kind: 'launch_failed',
      stage,
      message: 'no such user',
    });
    expect(bench.saved.at(-1)?.launchedExitAt).toEqual(bench.clock.now());
    expect(bench.calls).not.toContain('watch');
  });

  it('records nothing of a start while there is nobody to launch it, and retries', async () => {
    bench.stored = endedHistory(exited(1), { consecutiveFailures: 3 });
    bench.cannotLaunch = new ProcessmasterError('withdrawn', 'there is no keeper');
    expect(await reconciler.reconcile(WEB)).toEqual({ requeueAfterMs: 250 });
    expect(bench.calls).toEqual(['load', 'service.action-failed']);
    expect(bench.types()).toEqual(['Starting', 'ActionFailed']);
    bench.cannotLaunch = null;
    await reconciler.reconcile(WEB);
    expect(bench.saved.at(-1)).toMatchObject({ lastRunNumber: 2, consecutiveFailures: 3 });
  });

  it('takes back a run that nobody was asked to launch: it is no run and no failure', async () => {
    bench.stored = endedHistory(exited(1), { consecutiveFailures: 3 });
    bench.fail = new ProcessmasterError('withdrawn', 'there is no keeper');
    expect(await reconciler.reconcile(WEB)).toEqual({ requeueAfterMs: 250 });
    expect(bench.saved.at(-1)).toEqual(bench.stored);
    expect(bench.saved.at(-1)).toMatchObject({ lastRunNumber: 1, consecutiveFailures: 3 });
    expect(bench.events.at(-1)?.message).toBe('start: there is no keeper');
  });

  it('leaves a run whose launch may have been asked for to what the kernel shows', async () => {
    bench.fail = new ProcessmasterError('unreachable', 'the keeper is gone');
    expect(await reconciler.reconcile(WEB)).toEqual({ requeueAfterMs: 250 });
    expect(bench.saved.at(-1)).toMatchObject({ run: { number: 1 }, launchedExit: null });
  });

  it('turns an error of another action into a condition and one event, and tries again ever later', async () => {
    givenRunning();
    bench.wanted = intent({ want: 'stop' });
    bench.fail = new Error('EIO');
    expect(await reconciler.reconcile(WEB)).toEqual({ requeueAfterMs: 250 });
    expect(bench.types()).toEqual(['Populated', 'Stopping', 'StoppedByOperator', 'ActionFailed']);
    expect(bench.store.status(WEB)?.conditions.at(-1)?.message).toBe('signal: EIO');
    expect(bench.events.at(-1)).toMatchObject({
      kind: 'service.action-failed',
      message: 'signal: EIO',
    });
  });

  it('retries ever later, up to half a minute, and says so once', async () => {
    bench.stored = {
      ...activeHistory(),
      runEnd: { at: bench.clock.now(), exit: exited(0), stop: null },
    };
    bench.observation = empty;
    bench.wanted = intent({ want: 'stop' });
    bench.fail = new Error('EBUSY');
    const delays: (number | null)[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      delays.push((await reconciler.reconcile(WEB)).requeueAfterMs);
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(bench.events.map((event) => event.kind)).toEqual(['service.action-failed']);
    bench.fail = null;
    expect((await reconciler.reconcile(WEB)).requeueAfterMs).toBe(0);
    bench.fail = new Error('EBUSY');
    expect((await reconciler.reconcile(WEB)).requeueAfterMs).toBe(250);
  });

  it('repeats ever later what succeeds and does not help', async () => {
    bench.stored = {
      ...activeHistory(),
      runEnd: { at: bench.clock.now(), exit: exited(0), stop: null },
    };
    bench.observation = empty;
    bench.wanted = intent({ want: 'stop' });
    const delays: (number | null)[] = [];
    for (let pass = 0; pass < 4; pass += 1)
      delays.push((await reconciler.reconcile(WEB)).requeueAfterMs);
    expect(delays).toEqual([0, 250, 500, 1_000]);
    bench.observation = absent;
    expect((await reconciler.reconcile(WEB)).requeueAfterMs).toBeNull();
    bench.observation = empty;
    expect((await reconciler.reconcile(WEB)).requeueAfterMs).toBe(0);
  });

  it('goes no further when one of its actions failed', async () => {
    bench.define();
    bench.stored = {
      ...activeHistory(),
      runEnd: { at: bench.clock.now(), exit: exited(0), stop: null },
    };
    bench.observation = empty;
    bench.fail = new Error('EBUSY');
    await reconciler.reconcile(WEB);
    expect(bench.calls).toContain('remove-cgroup');
    expect(bench.calls).not.toContain('forget');
    expect(bench.store.status(WEB)).not.toBeNull();
  });

  it('says what became of a service since it was last shown', async () => {
    givenRunning();
    await reconciler.reconcile(WEB);
    reconciler.record(WEB, {
      kind: 'launched-exit',
      runNumber: 1,
      exit: exited(1),
      at: bench.clock.now(),
    });
    bench.observation = empty;
    await reconciler.reconcile(WEB);
    expect(bench.events.map((event) => event.kind)).toEqual(['service.ended', 'service.backoff']);
  });

  it('forgets a service that is gone for good', async () => {
    bench.define();
    expect(await reconciler.reconcile(WEB)).toEqual({ requeueAfterMs: null });
    expect(bench.calls.at(-1)).toBe('forgotten web');
    expect(bench.store.names().size).toBe(0);
  });

  it('can be looked at without doing anything', () => {
    givenRunning();
    bench.wanted = intent({ want: 'stop' });
    const shown = reconciler.inspect(WEB);
    expect(shown).toMatchObject({
      name: WEB,
      phase: 'STOPPING',
      cgroup: { kind: 'populated', pids: [100] },
    });
    expect(bench.calls).toEqual(['load']);
    expect(bench.store.status(WEB)).toBeNull();
  });

  it('can be foreseen without doing anything', () => {
    givenRunning();
    const changed = desired(accepted({ nice: 5 }, 2));
    const kinds = (service: DesiredService | null) =>
      reconciler.foresee(WEB, service, null).actions.map(({ kind }) => kind);
    expect(kinds(desired())).toEqual([]);
    expect(kinds(changed)).toEqual(['signal']);
    expect(kinds(null)).toEqual(['signal']);
    expect(reconciler.foresee(WEB, changed, null).runs).toBe(true);
    expect(new Set(bench.calls)).toEqual(new Set(['load']));
    expect([bench.store.status(WEB), bench.store.history(WEB)]).toEqual([null, null]);
    expect(bench.store.desiredOf(WEB)).toEqual(desired());
  });
});

describe('the controller', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  let bench: Bench;
  let controller: Controller;
  beforeEach(() => {
    bench = new Bench();
    bench.stored = activeHistory();
    bench.observation = running(100);
    controller = new Controller(bench.store, bench.ports);
  });
  const apply = (...services: DesiredService[]) =>
    controller.applyDesired({
      services: new Map(services.map((service) => [service.name, service])),
      strayProblems: [],
      brakes: [],
    });

  it('says what changed in the definitions', () => {
    apply(desired());
    expect(bench.events.map((event) => event.kind)).toEqual(['definition.accepted']);
  });

  it('looks at what was found running, though nobody defines it', async () => {
    controller.applyDesired({ services: new Map(), strayProblems: [], brakes: [] }, [
      name('orphan'),
    ]);
    await turn();
    expect(bench.calls).toContain('signal');
  });

  it('has no news of definitions that an earlier daemon left running, and reconciles nothing by them', async () => {
    const accepted = desired().accepted;
    if (accepted === null) throw new Error('the builder gives a spec');
    controller.adopt(new Map([[WEB, accepted]]));
    controller.enqueueAll();
    await turn();
    expect(bench.calls).toEqual([]);
    apply(desired());
    await turn();
    expect(bench.events).toEqual([]);
    apply();
    expect(bench.events[0]?.kind).toBe('definition.removed');
  });

  it('records a fact before the name is looked at', async () => {
    apply(desired());
    await turn();
    bench.observation = empty;
    controller.record(WEB, {
      kind: 'launched-exit',
      runNumber: 1,
      exit: exited(4),
      at: bench.clock.now(),
    });
    await turn();
    expect(bench.store.status(WEB)?.history.runEnd?.exit).toEqual(exited(4));
  });

  it('keeps going after a defect in one pass, without spinning', async () => {
    const broken = {
      ...bench.ports,
      observe: () => {
        bench.calls.push('observe');
        throw new TypeError('a defect');
      },
    };
    controller = new Controller(bench.store, broken);
    apply(desired());
    await turn();
    expect(bench.events.at(-1)).toMatchObject({
      kind: 'service.action-failed',
      message: 'internal error: a defect',
    });
    expect(bench.calls.filter((call) => call === 'observe')).toHaveLength(1);
    bench.clock.advance(5_000);
    await turn();
    expect(bench.calls.filter((call) => call === 'observe')).toHaveLength(2);
  });

  it('shows the pids of this moment, and looks into the difference', async () => {
    apply(desired());
    await turn();
    bench.observation = running(100, 101);
    expect(controller.inspect(WEB)?.cgroup).toEqual({ kind: 'populated', pids: [100, 101] });
    await turn();
    expect(bench.store.status(WEB)?.cgroup).toEqual({ kind: 'populated', pids: [100, 101] });
    const shown = bench.store.status(WEB);
    expect(controller.inspect(WEB)).toBe(shown);
    expect(controller.inspect(name('unknown'))).toBeNull();
  });

  it('takes up nothing more once it was stopped', async () => {
    apply(desired());
    await controller.stop();
    bench.calls.length = 0;
    controller.enqueueAll();
    await turn();
    expect(bench.calls).toEqual([]);
  });
});
