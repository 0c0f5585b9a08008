import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServiceName } from '../../src/model/service-name.ts';
import { name, WEB } from '../builders/specs.ts';
import type { Temper } from '../fakes/fake-machine.ts';
import { RELIST_MS, World } from './world.ts';

describe('the loop', () => {
  let world: World;
  afterEach(async () => {
    await world.controller.stop();
    expect(world.machine.violations).toEqual([]);
  });

  it('starts what is defined', async () => {
    world = new World();
    world.define(WEB);
    await world.pass(100);
    expect(world.machine.isRunning(WEB)).toBe(true);
    expect(world.store.status(WEB)?.phase).toBe('RUNNING');
  });

  it('does nothing before the first desired state is complete', async () => {
    world = new World();
    world.controller.enqueue(WEB);
    await world.pass(10_000);
    expect(world.machine.actions).toEqual([]);
  });

  it('stops, tidies up and forgets what is defined no more', async () => {
    world = new World();
    world.define(WEB);
    await world.pass(100);
    world.remove(WEB);
    await world.pass(100);
    expect(world.machine.actions).toEqual([
      'start web',
      'signal web',
      'remove-cgroup web',
      'forget web',
    ]);
    expect(world.store.status(WEB)).toBeNull();
  });

  it('restarts what died after the backoff, with a new pid', async () => {
    world = new World();
    world.define(WEB);
    await world.pass(100);
    const before = world.machine.pid(WEB);
    world.machine.crash(WEB);
    await world.pass(900);
    expect(world.store.status(WEB)?.phase).toBe('BACKOFF');
    await world.pass(300);
    expect(world.machine.isRunning(WEB)).toBe(true);
    expect(world.machine.pid(WEB)).not.toBe(before);
  });

  it('tells when it looks at a service by itself', async () => {
    world = new World();
    world.define(WEB);
    await world.pass(100);
    expect(world.controller.nextLookMs(WEB)).toBeNull();
    world.machine.crash(WEB);
    await world.pass(10);
    const { nextStartMonotonicMs } = world.store.history(WEB) ?? {};
    expect(world.controller.nextLookMs(WEB)).toBe(
      (nextStartMonotonicMs ?? 0) - world.clock.monotonicMs(),
    );
  });

  it('gives up on a crash loop, and tries again when an operator asks', async () => {
    world = new World();
    world.machine.setTemper(WEB, { livesMs: 10, exitCode: 1 });
    world.define(WEB);
    await world.pass(30_000);
    expect(world.store.status(WEB)?.phase).toBe('FAILED');
    expect(world.machine.actions.filter((action) => action === 'start web')).toHaveLength(4);
    world.machine.setTemper(WEB, {});
    world.ask(WEB, 'run');
    await world.pass(100);
    expect(world.store.status(WEB)?.phase).toBe('RUNNING');
  });

  it('treats a start that cannot happen like a crash, and leaves nothing behind', async () => {
    world = new World();
    world.machine.setTemper(WEB, { cannotStart: true });
    world.define(WEB);
    await world.pass(30_000);
    expect(world.store.status(WEB)?.phase).toBe('FAILED');
    expect(world.store.status(WEB)?.history.runEnd?.exit).toMatchObject({
      kind: 'launch_failed',
      message: 'no such file',
    });
    expect(world.machine.hasCgroup(WEB)).toBe(false);
  });

  it('kills what does not obey, when its grace is over', async () => {
    world = new World();
    world.machine.setTemper(WEB, { obeysAfterMs: null });
    world.define(WEB, { stopGraceMs: 3_000 });
    await world.pass(100);
    world.ask(WEB, 'stop');
    await world.pass(2_900);
    expect(world.store.status(WEB)?.phase).toBe('STOPPING');
    await world.pass(200);
    expect(world.store.status(WEB)?.phase).toBe('STOPPED');
    expect(world.store.status(WEB)?.history.runEnd?.stop).toMatchObject({
      processes: 1,
      killed: 1,
    });
  });

  it.each([
    ['forward', DAY_MS],
    ['back', -DAY_MS],
  ])('waits out backoff and grace as they are when the clock is set a day %s', async (_, byMs) => {
    world = new World();
    world.machine.setTemper(WEB, { obeysAfterMs: null });
    world.define(WEB, { stopGraceMs: 3_000 });
    await world.pass(100);
    world.machine.crash(WEB);
    await world.pass(500);
    world.clock.stepWall(byMs);
    await world.pass(250);
    expect(world.store.status(WEB)?.phase).toBe('BACKOFF');
    await world.pass(500);
    expect(world.store.status(WEB)?.phase).toBe('RUNNING');
    world.ask(WEB, 'stop');
    await world.pass(1_500);
    world.clock.stepWall(byMs);
    await world.pass(1_400);
    expect(world.store.status(WEB)?.phase).toBe('STOPPING');
    await world.pass(200);
    expect(world.store.status(WEB)?.phase).toBe('STOPPED');
  });

  it.each([
    ['forward', DAY_MS],
    ['back', -DAY_MS],
  ])(
    'counts restarts by elapsed time when the clock is set a day %s in between',
    async (_, byMs) => {
      world = new World();
      world.machine.setTemper(WEB, { livesMs: 10, exitCode: 1 });
      world.define(WEB);
      await world.pass(1_500);
      world.clock.stepWall(byMs);
      await world.pass(28_500);
      expect(world.store.status(WEB)?.phase).toBe('FAILED');
      expect(world.machine.actions.filter((action) => action === 'start web')).toHaveLength(4);
    },
  );

  it('kills at once what has had its grace while nobody ran', async () => {
    world = new World();
    world.machine.setTemper(WEB, { obeysAfterMs: null });
    world.define(WEB, { stopGraceMs: 3_000 });
    await world.pass(100);
    world.ask(WEB, 'stop');
    await world.pass(100);
    world.clock.oversleep(DAY_MS);
    await world.pass(200);
    expect(world.store.status(WEB)?.phase).toBe('STOPPED');
  });

  it('adopts what runs after the daemon was killed, and leaves it alone', async () => {
    world = new World();
    world.define(WEB);
    await world.pass(100);
    const pid = world.machine.pid(WEB);
    await world.reboot();
    await world.pass(RELIST_MS);
    expect(world.machine.pid(WEB)).toBe(pid);
    expect(world.machine.actions).toEqual(['start web', 'capture-logs web', 'limit web']);
  });

  it('stops nothing that it cannot see', async () => {
    world = new World();
    world.define(WEB);
    await world.pass(100);
    world.machine.unreadable = true;
    world.machine.crash(WEB);
    await world.pass(10_000);
    expect(world.machine.actions).toEqual(['start web']);
    world.machine.unreadable = false;
    await world.pass(5_000);
    expect(world.machine.isRunning(WEB)).toBe(true);
  });

  it('stops everything when the daemon shuts down', async () => {
    world = new World();
    const names = ['a', 'b', 'c'].map(name);
    for (const each of names) world.define(each);
    await world.pass(100);
    world.controller.shutDown();
    await world.pass(1_000);
    expect(
      names.some((each) => world.machine.isRunning(each) || world.machine.hasCgroup(each)),
    ).toBe(false);
  });
});

/** One thing that happens to the world. */
type Happening =
  | {
      readonly kind:
        | 'define'
        | 'touch'
        | 'disable'
        | 'remove'
        | 'stop'
        | 'start'
        | 'restart'
        | 'crash';
      readonly who: number;
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'step'; readonly ms: number }
  | { readonly kind: 'oversleep'; readonly ms: number }
  | { readonly kind: 'reboot' };

const DAY_MS = 86_400_000;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'define',
        'touch',
        'disable',
        'remove',
        'stop',
        'start',
        'restart',
        'crash',
      ),
      who: fc.nat(2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.integer({ min: 0, max: 8_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reboot' as const }) },
  // The wall clock is set; a suspended host wakes up (there, CLOCK_MONOTONIC stood still).
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      ms: fc.integer({ min: -DAY_MS, max: DAY_MS }),
    }),
  },
  // Nobody ran for a while (a stopped VM), and every timer is late.
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('oversleep' as const),
      ms: fc.integer({ min: 0, max: DAY_MS }),
    }),
  },
);

const temper: fc.Arbitrary<Partial<Temper>> = fc.record({
  joinMs: fc.integer({ min: 0, max: 30 }),
  obeysAfterMs: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 6_000 })),
});

const NAMES = ['a', 'b', 'c'].map(name);
/** Longer than any grace plus kill, backoff and relist together. */
const SETTLES_MS = 4 * RELIST_MS;

async function happen(world: World, what: Happening): Promise<void> {
  if (what.kind === 'pass') return world.pass(what.ms);
  if (what.kind === 'reboot') return world.reboot();
  if (what.kind === 'step') return world.clock.stepWall(what.ms);
  if (what.kind === 'oversleep') return world.clock.oversleep(what.ms);
  const who = NAMES[what.who] ?? WEB;
  const defined = world.specs.has(who);
  const restart = { maxRestarts: 1_000 };
  if (what.kind === 'define') world.define(who, { restart });
  else if (what.kind === 'touch' && defined)
    world.define(who, { restart, description: 'x' }, world.specs.get(who)?.restartHash);
  else if (what.kind === 'disable' && defined) world.define(who, { restart, enabled: false });
  else if (what.kind === 'remove') world.remove(who);
  else if (what.kind === 'crash') world.machine.crash(who);
  else if (defined && what.kind === 'stop') world.ask(who, 'stop');
  else if (defined && what.kind === 'start') world.ask(who, 'run');
  else if (defined && what.kind === 'restart') world.ask(who, 'run', true);
}

/** Whether a service should run, said without the planner. */
function shouldRun(world: World, who: ServiceName): boolean {
  const defined = world.specs.get(who);
  return defined?.spec.enabled === true && world.machine.intents.get(who)?.want !== 'stop';
}

async function settleAndCheck(world: World): Promise<void> {
  await world.pass(SETTLES_MS);
  for (const who of NAMES) {
    expect([who, world.machine.isRunning(who)]).toEqual([who, shouldRun(world, who)]);
    expect([who, world.machine.hasCgroup(who)]).toEqual([who, shouldRun(world, who)]);
    if (shouldRun(world, who)) expectRightRun(world, who);
  }
  const actions = world.machine.actions.length;
  world.controller.enqueueAll();
  await world.pass(RELIST_MS);
  expect(world.machine.actions.slice(actions)).toEqual([]);
  expect(world.machine.violations).toEqual([]);
}

function expectRightRun(world: World, who: ServiceName): void {
  const history = world.store.status(who)?.history;
  expect(history?.run?.accepted?.restartHash).toBe(world.specs.get(who)?.restartHash);
  const asked = world.machine.intents.get(who);
  if (asked?.restart) expect(history?.run?.intentId).toBeGreaterThanOrEqual(asked.id);
}

describe('whatever happens', () => {
  it.each([
    ['with every watcher telling', false],
    ['with every watcher silent', true],
  ])('what runs is what is desired, once, %s', async (_title, silent) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 40 }),
        fc.array(temper, { minLength: 3, maxLength: 3 }),
        async (happenings, tempers) => {
          const world = new World(silent);
          NAMES.forEach((who, index) => {
            world.machine.setTemper(who, tempers[index] ?? {});
          });
          world.controller.applyDesired({ services: new Map(), strayProblems: [], brakes: [] });
          for (const what of happenings) await happen(world, what);
          await settleAndCheck(world);
          await world.controller.stop();
        },
      ),
      { numRuns: 60 },
    );
  });
});
