import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createHandlers } from '../../src/api/handlers.ts';
import { formatLocalTime } from '../../src/lib/local-time.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { contract } from '../../src/rpc/contract.ts';
import { activeHistory, endedHistory, exited, intent, run } from '../builders/situations.ts';
import { accepted, desired, name } from '../builders/specs.ts';
import { caller, condition, MemoryDaemon, status } from './api-rig.ts';

const ASK = { force: false, wait: true, timeout_ms: null };

/** A service as the reconciler would show it soon after this intent. */
function obeyed(asked: Intent, before: ServiceStatus): ServiceStatus {
  const runs = asked.want === 'run';
  const history = runs
    ? activeHistory({ run: run({ number: 2, intentId: asked.id }) })
    : endedHistory(exited(0));
  const cgroup = runs ? { kind: 'populated' as const, pids: [200] } : { kind: 'absent' as const };
  const conditions = runs ? [condition('Populated')] : [condition('StoppedByOperator')];
  return status(before.name, conditions, {
    ...before,
    conditions,
    history,
    cgroup,
    intent: asked,
    phase: runs ? 'RUNNING' : 'STOPPED',
  });
}

/** Every intent comes true a moment later. */
function obedient(...statuses: readonly ServiceStatus[]): MemoryDaemon {
  const daemon = new MemoryDaemon(...statuses);
  daemon.onIntent = (asked, before) => queueMicrotask(() => daemon.show(obeyed(asked, before)));
  return daemon;
}

const disabled = (named: string, changes: Partial<ServiceStatus> = {}) =>
  status(named, [condition('Disabled')], {
    desired: desired(accepted({ name: name(named), enabled: false })),
    ...changes,
  });

test('a start records an intent, says who asked, makes the name due, and waits', async () => {
  const daemon = obedient(status('web'));
  const result = await createHandlers(daemon.ports())['services.start'](
    { names: ['web'], ...ASK },
    caller(),
  );

  expect(result.services).toEqual([
    { name: 'web', ok: true, outcome: 'done', message: 'running: run 2, pid 200', stop: null },
  ]);
  expect(z.safeParse(contract['services.start'].result, result).success).toBe(true);
  expect(daemon.intents).toMatchObject([
    { want: 'run', forced: false, restart: false, actor: 'local' },
  ]);
  expect(daemon.enqueued).toEqual(['web']);
  expect(daemon.emitted).toMatchObject([
    {
      service: 'web',
      kind: 'operator.start',
      actor: 'local',
      message: 'start requested by local',
      data: { intent: 1, forced: false },
    },
  ]);
});

test('a stop and a restart each ask for their own', async () => {
  const up = status('web', [condition('Populated')], {
    history: activeHistory(),
    cgroup: { kind: 'populated', pids: [100] },
  });
  const daemon = obedient(up);
  const handlers = createHandlers(daemon.ports());
  const restarted = await handlers['services.restart']({ names: ['web'], ...ASK }, caller());
  const stopped = await handlers['services.stop']({ names: ['web'], ...ASK }, caller());

  expect(restarted.services).toMatchObject([{ ok: true, message: 'running: run 2, pid 200' }]);
  expect(stopped.services).toMatchObject([{ ok: true, outcome: 'done' }]);
  expect(daemon.intents.map(({ want, restart }) => [want, restart])).toEqual([
    ['run', true],
    ['stop', false],
  ]);
  expect(daemon.emitted.map(({ kind }) => kind)).toEqual(['operator.restart', 'operator.stop']);
});

test('without waiting nothing is promised', async () => {
  const daemon = new MemoryDaemon(status('web'));
  const ask = { names: ['web'], ...ASK, wait: false };
  const { services } = await createHandlers(daemon.ports())['services.stop'](ask, caller());
  expect(services).toMatchObject([{ ok: true, outcome: 'requested', message: 'stop requested' }]);
  expect([daemon.intents.length, daemon.listeners.size]).toEqual([1, 0]);
});

test('one unknown name among several, and nothing is asked of any', async () => {
  const daemon = obedient(status('web'));
  const ask = { names: ['web', 'wob'], ...ASK };
  const start = createHandlers(daemon.ports())['services.start'];
  await expect(start(ask, caller())).rejects.toMatchObject({ code: 'not_found' });
  expect([daemon.intents, daemon.emitted, daemon.enqueued]).toEqual([[], [], []]);
});

test('what is disabled is refused by its name, passed over by all, and started by force', async () => {
  const daemon = obedient(disabled('off'), status('web'));
  const start = createHandlers(daemon.ports())['services.start'];

  const refused = await start({ names: ['off'], ...ASK }, caller());
  expect(refused.services).toMatchObject([{ ok: false, outcome: 'refused' }]);
  expect(refused.services[0]?.message).toContain('pmctl start --force');
  const all = await start({ names: ['all'], ...ASK }, caller());
  expect(all.services).toMatchObject([{ ok: true, outcome: 'skipped' }, { outcome: 'done' }]);
  expect(daemon.intents).toHaveLength(1);

  const forced = await start({ names: ['off'], ...ASK, force: true }, caller());
  expect(forced.services).toMatchObject([{ ok: true, outcome: 'done' }]);
  expect(daemon.intents.at(-1)).toMatchObject({ forced: true });
});

test('a service that was forced on stays so through a restart', async () => {
  const forcedOn = disabled('off', { intent: intent({ forced: true }), history: activeHistory() });
  const daemon = obedient(forcedOn);
  const ask = { names: ['off'], ...ASK };
  await createHandlers(daemon.ports())['services.restart'](ask, caller());
  expect(daemon.intents).toMatchObject([{ want: 'run', forced: true, restart: true }]);
});

test('what never had a valid definition cannot be started, but stopped', async () => {
  const broken = status('web', [condition('NeverValid', 'there never was a valid definition')], {
    desired: desired(null),
  });
  const daemon = obedient(broken);
  const handlers = createHandlers(daemon.ports());
  for (const method of ['services.start', 'services.restart'] as const) {
    const { services } = await handlers[method]({ names: ['web'], ...ASK }, caller());
    expect(services).toMatchObject([
      { outcome: 'refused', message: expect.stringContaining('there never was a valid') },
    ]);
  }
  const { services } = await handlers['services.stop']({ names: ['web'], ...ASK }, caller());
  expect(services).toMatchObject([{ ok: true }]);
});

test('a wait ends with its time and says what is so instead', async () => {
  const stopping = [
    condition('Populated', '2 processes'),
    condition('Stopping', 'stopped by local'),
  ];
  const daemon = new MemoryDaemon(status('web', stopping), status('db', stopping));
  const stop = createHandlers(daemon.ports())['services.stop'];
  const stopped = stop({ names: ['all'], ...ASK, timeout_ms: 1_500 }, caller());
  daemon.clock.advance(1_500);
  const message = 'not done after 1.5 s, and it goes on: STOPPING; 2 processes; stopped by local';
  expect((await stopped).services).toMatchObject([
    { ok: false, outcome: 'timeout', message },
    { ok: false, outcome: 'timeout', message },
  ]);
});

test('by itself a wait leaves room for a long grace period', async () => {
  const patient = desired(accepted({ stopGraceMs: 120_000 }));
  const daemon = new MemoryDaemon(status('web', [condition('Populated')], { desired: patient }));
  const stopped = createHandlers(daemon.ports())['services.stop'](
    { names: ['web'], ...ASK },
    caller(),
  );
  expect(daemon.clock.nextTimerMs()).toBe(daemon.clock.monotonicMs() + 130_000);
  daemon.clock.advance(130_000);
  expect((await stopped).services).toMatchObject([{ outcome: 'timeout' }]);

  const quick = new MemoryDaemon(status('web'));
  const started = createHandlers(quick.ports())['services.start'](
    { names: ['web'], ...ASK },
    caller(),
  );
  expect(quick.clock.nextTimerMs()).toBe(quick.clock.monotonicMs() + 60_000);
  quick.clock.advance(60_000);
  expect((await started).services).toMatchObject([{ outcome: 'timeout' }]);
});

test('a caller that goes away takes its wait along, not its request', async () => {
  const daemon = new MemoryDaemon(status('web'));
  const controller = new AbortController();
  const ask = { names: ['web'], ...ASK };
  const started = createHandlers(daemon.ports())['services.start'](ask, caller(controller));
  controller.abort();
  await expect(started).rejects.toMatchObject({ code: 'unreachable' });
  expect([daemon.intents.length, daemon.listeners.size, daemon.clock.nextTimerMs()]).toEqual([
    1,
    0,
    null,
  ]);
});

test('a reason and a time go into the intent and the event', async () => {
  const daemon = obedient(status('web', [condition('Populated')], { history: activeHistory() }));
  const stop = createHandlers(daemon.ports())['services.stop'];
  const ask = { names: ['web'], ...ASK, reason: 'new disk', for_ms: 7_200_000 };
  const { services } = await stop(ask, caller());
  const { wallMs, monotonicMs } = daemon.clock.now();
  const until = `; until ${formatLocalTime(wallMs + 7_200_000)}`;
  expect(services).toMatchObject([{ ok: true, message: expect.stringContaining(until) }]);
  expect(daemon.intents).toMatchObject([
    { want: 'stop', reason: 'new disk', until: { monotonicMs: monotonicMs + 7_200_000 } },
  ]);
  expect(daemon.emitted).toMatchObject([
    {
      kind: 'operator.stop',
      message: 'stop requested by local for 2h: new disk',
      data: { reason: 'new disk', for_ms: 7_200_000 },
    },
  ]);
});

test.each([
  ['services.stop', { for_ms: 999 }],
  ['services.stop', { for_ms: 365 * 86_400_000 + 1 }],
  ['services.stop', { reason: 'two\nlines' }],
  ['services.start', { reason: '' }],
  ['services.start', { for_ms: 5_000 }],
  ['services.restart', { for_ms: 5_000 }],
] as const)('%s does not take %j', (method, extra) => {
  const { params } = contract[method];
  expect(z.safeParse(params, { names: ['web'], ...extra }).success).toBe(false);
  expect(z.safeParse(params, { names: ['web'], reason: 'new disk' }).success).toBe(true);
});

test('a stop that was over before it was done has been a stop', async () => {
  const up = status('web', [condition('Populated')], { history: activeHistory() });
  const daemon = new MemoryDaemon(up);
  const ask = { names: ['web'], ...ASK, for_ms: 1_000 };
  const stopped = createHandlers(daemon.ports())['services.stop'](ask, caller());
  daemon.clock.advance(1_000);
  // The grace goes on; the intent is gone.
  daemon.show({ ...up, conditions: [condition('Populated'), condition('Stopping')] });
  const again = activeHistory({ run: run({ number: 2 }) });
  daemon.show(status('web', [condition('Populated', '1 process')], { history: again }));
  expect((await stopped).services).toMatchObject([
    { ok: true, outcome: 'done', message: 'stopped, and its time is over: RUNNING; 1 process' },
  ]);
});
