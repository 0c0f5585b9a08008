import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/model/action.ts';
import type { RunEnd } from '../../src/model/history.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import {
  actionEvent,
  failureEvent,
  transitionEvents,
} from '../../src/reconciler/service-events.ts';
import {
  activeHistory,
  at,
  endedHistory,
  exited,
  run,
  stopProgress,
} from '../builders/situations.ts';
import { accepted, spec, WEB } from '../builders/specs.ts';

const now = at(5_000);
const common = { atMs: now.wallMs, service: WEB, actor: 'supervisor' };

describe('what became of a service', () => {
  const active = activeHistory();
  const ended = (end: Partial<RunEnd>) => ({
    ...active,
    runEnd: { at: now, exit: exited(0), stop: null, ...end },
  });
  const stop = stopProgress({ requestedAt: at(4_000), processes: 3 });

  it('is nothing when nothing changed', () => {
    expect(transitionEvents(WEB, active, active, now)).toEqual([]);
    const over = endedHistory(exited(1), { failed: true });
    expect(transitionEvents(WEB, over, over, now)).toEqual([]);
  });

  it('is found when it runs without a record, once', () => {
    const found = activeHistory({
      run: run({ number: 2, accepted: null, reason: 'found running' }),
    });
    expect(transitionEvents(WEB, EMPTY_HISTORY, found, now)).toEqual([
      { ...common, kind: 'service.found', message: 'found running', data: { run: 2 } },
    ]);
    expect(transitionEvents(WEB, found, { ...found, main: null }, now)).toEqual([]);
  });

  it('is not called found when its record tells how it was started', () => {
    expect(transitionEvents(WEB, EMPTY_HISTORY, active, now)).toEqual([]);
  });

  it('is a main process that ended while others live on', () => {
    const after = { ...active, launchedExit: exited(0), launchedExitAt: now };
    expect(transitionEvents(WEB, active, after, now)).toEqual([
      {
        ...common,
        kind: 'service.main-exited',
        message: 'main process: exit code 0',
        data: { run: 1 },
      },
    ]);
    expect(transitionEvents(WEB, after, after, now)).toEqual([]);
  });

  it.each([
    ['service.ended', 'exit code 3', { exit_code: 3 }, { exit: exited(3) }],
    [
      'service.ended',
      'killed by SIGSEGV',
      { signal: 'SIGSEGV' },
      { exit: { kind: 'signaled', signal: 'SIGSEGV' } },
    ],
    [
      'service.ended',
      'exit status unknown (adopted)',
      {},
      { exit: { kind: 'unknown', reason: 'adopted' } },
    ],
    [
      'service.launch-failed',
      'no such user',
      { stage: 'resolve user' },
      { exit: { kind: 'launch_failed', stage: 'resolve user', message: 'no such user' } },
    ],
    ['service.stopped', 'stopped by local: 3 ended, 0 killed', { exit_code: 0 }, { stop }],
    [
      'service.stopped',
      'stopped by local: 1 ended, 2 killed',
      { exit_code: 0 },
      { stop: { ...stop, killed: 2 } },
    ],
    [
      'service.stopped',
      'stopped by local: 0 ended, 5 killed',
      { exit_code: 0 },
      { stop: { ...stop, killed: 5 } },
    ],
  ] as const)('is %s: %s', (kind, message, data, end) => {
    expect(transitionEvents(WEB, active, ended(end), now)).toEqual([
      { ...common, kind, message, data: { run: 1, ...data } },
    ]);
  });

  it('says when the next start is due', () => {
    const after = { ...ended({ exit: exited(1) }), nextStartMonotonicMs: at(6_250).monotonicMs };
    expect(transitionEvents(WEB, active, after, now)[1]).toEqual({
      ...common,
      kind: 'service.backoff',
      message: 'next start in 1250 ms',
      data: { run: 1, delay_ms: 1_250 },
    });
  });

  it('says that it was given up', () => {
    const after = { ...ended({ exit: exited(1) }), failed: true };
    expect(transitionEvents(WEB, active, after, now)[1]).toEqual({
      ...common,
      kind: 'service.failed',
      message: 'restart tolerance exhausted: no more restarts',
      data: { run: 1 },
    });
  });

  it('has no run to name when there never was one', () => {
    const failed = { ...EMPTY_HISTORY, failed: true };
    expect(transitionEvents(WEB, EMPTY_HISTORY, failed, now)[0]?.data).toEqual({ run: null });
  });
});

describe('what is done to a service', () => {
  const rows: readonly (readonly [string, Action, object | null])[] = [
    [
      'a start',
      {
        kind: 'start',
        accepted: accepted({}, 7),
        runNumber: 4,
        intentId: 0,
        reason: 'it is enabled',
      },
      {
        kind: 'service.starting',
        message: 'run 4: it is enabled',
        data: { run: 4, generation: 7 },
      },
    ],
    [
      'a signal',
      { kind: 'signal', signal: 'SIGTERM', reason: 'stopped by local' },
      { kind: 'service.stopping', message: 'SIGTERM: stopped by local', data: {} },
    ],
    [
      'a stop command',
      {
        kind: 'stop-command',
        accepted: accepted(),
        argv: ['./stop.sh', '-f'],
        reason: 'stopped by local',
      },
      { kind: 'service.stopping', message: './stop.sh -f: stopped by local', data: {} },
    ],
    [
      'a kill',
      { kind: 'kill', reason: 'grace is over' },
      { kind: 'service.killing', message: 'grace is over', data: {} },
    ],
    [
      'a farewell',
      { kind: 'forget', reason: 'gone' },
      { kind: 'service.removed', message: 'gone', data: {} },
    ],
    ['reading on', { kind: 'capture-logs', spec: spec(), runNumber: 1, reason: 'x' }, null],
    ['tidying up', { kind: 'remove-cgroup', reason: 'x' }, null],
  ];
  it.each(rows)('%s', (_title, action, expected) => {
    const event = actionEvent(WEB, action, now.wallMs);
    expect(event).toEqual(expected === null ? null : { ...common, ...expected });
  });

  it('failed', () => {
    expect(failureEvent(WEB, 'kill: EIO', now.wallMs)).toEqual({
      ...common,
      kind: 'service.action-failed',
      message: 'kill: EIO',
      data: {},
    });
  });
});
