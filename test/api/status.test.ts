import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createHandlers } from '../../src/api/handlers.ts';
import { EMPTY_HISTORY, type Exit } from '../../src/model/history.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { contract } from '../../src/rpc/contract.ts';
import { activeHistory, at, endedHistory, exited, intent, run } from '../builders/situations.ts';
import { accepted, desired } from '../builders/specs.ts';
import { caller, condition, MemoryDaemon, status } from './api-rig.ts';

function show(daemon: MemoryDaemon, names: string[] = [], detail = false) {
  const result = createHandlers(daemon.ports()).status({ names, detail }, caller());
  expect(z.safeParse(contract.status.result, result)).toMatchObject({ success: true });
  return Promise.resolve(result);
}

async function rowOf(one: ServiceStatus) {
  const daemon = new MemoryDaemon(one);
  const flag = { setAtMs: 1, actor: 'ann' };
  daemon.flags.set(one.name, [
    { ...flag, name: 'later', expiresAtMs: 5 },
    { ...flag, name: 'stays', expiresAtMs: null },
  ]);
  daemon.clock.advance(30_000);
  const [row] = (await show(daemon)).services;
  return row;
}

const running = status('web', [condition('Populated', '2 processes')], {
  cgroup: { kind: 'populated', pids: [100, 101] },
  history: activeHistory({ restartsMonotonicMs: [-1, 400_000, 450_000, 999_000].map(Number) }),
  desired: desired(accepted({ description: 'the site', labels: { team: 'a' } }, 4)),
});

test('a running service shows its processes, its run and its definition', async () => {
  expect(await rowOf(running)).toEqual({
    application: 'web',
    description: 'the site',
    labels: { team: 'a' },
    enabled: true,
    running: true,
    actual: 'RUNNING',
    phase: 'RUNNING',
    conditions: [condition('Populated', '2 processes')],
    system_flags: ['system_start'],
    user_flags: ['later', 'stays'],
    user_flag_expires_at_ms: { later: 5, stays: null },
    pids: [100, 101],
    pid_uptimes_ms: [],
    main_pid: 100,
    main_pid_gone: false,
    run: 1,
    generation: 4,
    source_file: '/etc/pm/config.d/web.yaml',
    working_directory: '/srv/web',
    started_at_ms: at(0).wallMs,
    uptime_ms: 30_000,
    last_run_at_ms: at(0).wallMs,
    last_exit_code: null,
    last_exit: null,
    restarts_10m: 2,
    next_start_in_ms: null,
    next_slot_ms: null,
    last_outcome: null,
    stopped_by: null,
    stopped_reason: null,
    stopped_until_ms: null,
    provisioning_defined: false,
    provisioning_marker: null,
    provisioning_marker_exists: false,
    schedule: null,
    schedule_not_before_ms: null,
    schedule_not_after_ms: null,
    schedule_max_time_per_run_ms: null,
    detail: null,
  });
});

test.for<[string, Partial<ServiceStatus>, object]>([
  [
    'never started',
    { history: EMPTY_HISTORY },
    { run: null, last_run_at_ms: null, system_flags: [] },
  ],
  [
    'stopped by an operator',
    {
      intent: intent({ want: 'stop', actor: 'ann', reason: 'new disk', until: at(90_000) }),
      history: activeHistory({
        runEnd: {
          at: at(5_000),
          exit: { kind: 'signaled', signal: 'SIGTERM' },
          stop: {
            requestedAt: at(4_000),
            reason: '',
            processes: 1,
            askedAtMonotonicMs: null,
            commandFailed: false,
            killedAtMonotonicMs: null,
            killed: 0,
          },
        },
      }),
    },
    {
      actual: 'STOPPED',
      stopped_by: 'ann',
      stopped_reason: 'new disk',
      stopped_until_ms: at(90_000).wallMs,
      system_flags: ['user_stop', 'exit_ok'],
      uptime_ms: null,
      main_pid: null,
      last_exit_code: null,
      last_exit: { kind: 'signaled', signal: 'SIGTERM', code: null, at_ms: at(5_000).wallMs },
    },
  ],
  [
    'started by an operator',
    {
      intent: intent(),
      history: activeHistory({ run: run({ intentId: 1 }), clearedByIntentId: 1 }),
      cgroup: { kind: 'populated', pids: [1] },
    },
    { system_flags: ['user_start'] },
  ],
  [
    'backing off',
    {
      phase: 'BACKOFF',
      history: endedHistory(exited(3), { nextStartMonotonicMs: at(30_750).monotonicMs }),
    },
    { system_flags: ['backoff', 'exit_err'], next_start_in_ms: 750, last_exit_code: 3 },
  ],
  [
    'given up',
    { phase: 'FAILED', history: endedHistory(exited(3), { failed: true }) },
    { system_flags: ['failed', 'exit_err'], next_start_in_ms: null },
  ],
  ['ended well', { history: endedHistory(exited(0)) }, { system_flags: ['exit_ok'] }],
  [
    'ended by a signal that was not ours',
    { history: endedHistory({ kind: 'signaled', signal: 'SIGKILL' } satisfies Exit) },
    { system_flags: ['exit_err'], last_exit: { message: 'killed by SIGKILL' } },
  ],
  [
    'not launched',
    { history: endedHistory({ kind: 'launch_failed', stage: 'exec', message: 'cannot exec' }) },
    { system_flags: ['exit_err'], last_exit: { kind: 'launch_failed', message: 'cannot exec' } },
  ],
  [
    'ended unseen',
    { history: endedHistory({ kind: 'unknown', reason: 'adopted' }) },
    { system_flags: [], last_exit: { kind: 'unknown', code: null } },
  ],
  [
    'unreadable',
    { cgroup: { kind: 'unknown', reason: 'EIO' }, history: activeHistory() },
    { actual: 'UNKNOWN', running: false, pids: [] },
  ],
  [
    'without its main process',
    {
      conditions: [condition('Populated'), condition('MainProcessGone')],
      cgroup: { kind: 'populated', pids: [101] },
      history: activeHistory({ run: run() }),
    },
    { main_pid: 100, main_pid_gone: true, running: true },
  ],
  [
    'never valid',
    {
      desired: {
        ...desired(null),
        trouble: {
          kind: 'invalid',
          problems: [{ file: '/c/web.yaml', line: 1, column: 1, keyPath: '', message: 'no' }],
        },
      },
    },
    { enabled: false, generation: null, working_directory: null, source_file: '/c/web.yaml' },
  ],
])('a service %s', async ([, changes, expected]) => {
  expect(await rowOf(status('web', [], changes))).toMatchObject(expected);
});

test('only with detail are processes and events looked up', async () => {
  const daemon = new MemoryDaemon(running);
  const startedAtMs = daemon.clock.wallMs() - 1_500;
  daemon.processes = [{ pid: 100, startedAtMs, command: 'nginx: master' }];
  daemon.events = Array.from({ length: 12 }, (_, seq) => ({
    seq,
    atMs: seq,
    service: running.name,
    kind: 'service.starting',
    message: `run ${seq}`,
    actor: 'supervisor',
    data: {},
  }));

  const [row] = (await show(daemon, ['web'], true)).services;
  // 101 ended between the two looks.
  expect(row?.pid_uptimes_ms).toEqual([1_500, null]);
  expect(row?.detail?.processes).toEqual([
    { pid: 100, uptime_ms: 1_500, command: 'nginx: master' },
  ]);
  expect(row?.detail?.events.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('a table gets the same of each service, without what must be looked up', async () => {
  const daemon = new MemoryDaemon(running);
  const brief = createHandlers(daemon.ports())['status.brief']({ names: ['w*'] }, caller());
  expect(z.safeParse(contract['status.brief'].result, brief)).toMatchObject({ success: true });
  expect(await show(daemon)).toMatchObject(Object(brief));
});

test('names and patterns select, warnings are always told', async () => {
  const daemon = new MemoryDaemon(status('db'), status('web'), status('web-2'));
  const { services, warnings } = await show(daemon, ['web*']);
  expect(services.map(({ application }) => application)).toEqual(['web', 'web-2']);
  expect(warnings).toEqual(['the disk is full']);
  const list = createHandlers(daemon.ports()).status;
  expect(() => list({ names: ['nobody'], detail: false }, caller())).toThrow(
    expect.objectContaining({ code: 'not_found' }),
  );
});
