import { expect, test } from 'vitest';
import { explain } from '../../src/api/why.ts';
import type { Trouble } from '../../src/model/desired.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import {
  activeHistory,
  at,
  empty,
  endedHistory,
  exited,
  running,
  stopProgress,
  unreadable,
} from '../builders/situations.ts';
import { WEB } from '../builders/specs.ts';
import { conflict, FILE, factsAt, held, invalid, never, troubled } from './why-rig.ts';

const ended = endedHistory(exited(3));

test('what is observed is what the kernel shows, since when, and the first processes', () => {
  const processes = [
    { pid: 101, startedAtMs: at(1_000).wallMs, command: 'web: worker' },
    { pid: 100, startedAtMs: at(6_000).wallMs, command: 'web' },
  ];
  expect(
    explain(factsAt(5_000, { observation: running(100, 101) }, { processes })).observed,
  ).toEqual({
    actual: 'RUNNING',
    processes: 2,
    pids: [
      { pid: 101, command: 'web: worker', uptime_ms: 4_000 },
      // A clock that was set back makes nothing younger than new.
      { pid: 100, command: 'web', uptime_ms: 0 },
    ],
    main_pid: 100,
    since_ms: at(0).wallMs,
    run: 1,
  });
  expect(explain(factsAt(5_000, { observation: empty, history: ended })).observed).toMatchObject({
    actual: 'STOPPED',
    since_ms: at(1_000).wallMs,
    main_pid: null,
  });
  expect(explain(factsAt(5_000, { observation: unreadable })).observed).toMatchObject({
    actual: 'UNKNOWN',
    since_ms: null,
  });
  expect(explain(factsAt(0, { history: EMPTY_HISTORY })).observed).toMatchObject({
    actual: 'STOPPED',
    since_ms: null,
    run: null,
  });
});

test('the last exit tells the run, how long it ran, and whose doing its end was', () => {
  const stop = stopProgress({ reason: 'stopped by ann', killed: 2 });
  const runEnd = { at: at(1_500), exit: { kind: 'signaled', signal: 'SIGKILL' } as const, stop };
  expect(explain(factsAt(2_000, { history: { ...ended, runEnd } })).last_exit).toEqual({
    kind: 'signaled',
    code: null,
    signal: 'SIGKILL',
    message: 'killed by SIGKILL',
    at_ms: at(1_500).wallMs,
    decoded: 'killed by SIGKILL (kill: sent by someone, or by the kernel when memory ran out)',
    stage: null,
    run: 1,
    ran_ms: 1_500,
    stopped_because: 'stopped by ann',
    killed: 2,
  });
});

test('while it runs, the last exit is that of the run before', () => {
  const history = activeHistory({ previousEnd: { at: at(-9_000), exit: exited(4), stop: null } });
  expect(explain(factsAt(0, { observation: running(100), history })).last_exit).toMatchObject({
    code: 4,
    decoded: 'exit code 4',
    run: null,
    ran_ms: null,
    stopped_because: null,
  });
});

test('a start that failed keeps its stage', () => {
  const exit = { kind: 'launch_failed', stage: 'exec', message: 'Permission denied' } as const;
  const { last_exit, ways_out } = explain(
    factsAt(2_000, { history: endedHistory(exit, { failed: true }) }),
  );
  expect(last_exit).toMatchObject({
    kind: 'launch_failed',
    stage: 'exec',
    decoded: "could not be started, at the stage 'exec': Permission denied",
  });
  expect(ways_out[0]?.hint).toBe(
    `let its user execute the program (chmod +x), or correct process.start_command in ${FILE}:6`,
  );
});

test('the restarts that exhausted the tolerance stay counted, however long ago that was', () => {
  const restartsMonotonicMs = [-200_000, 100, 400, 800].map((ms) => at(ms).monotonicMs);
  const history = { ...ended, failed: true, consecutiveFailures: 4, restartsMonotonicMs };
  const runs = [1, 2, 3, 4, 5, 6].map((number) => ({
    run: number,
    startedAtMs: number,
    endedAtMs: number === 6 ? null : number * 10,
    exit: number === 6 ? null : exited(number),
    reason: null,
  }));
  expect(explain(factsAt(86_400_000, { history }, { runs })).restarts).toEqual({
    policy: 'always',
    max: 3,
    within_ms: 180_000,
    at_ms: [100, 400, 800].map((ms) => at(ms).wallMs),
    failures_in_a_row: 4,
    last_exits: [5, 4, 3, 2].map((run) => ({ run, message: `exit code ${run}`, at_ms: run * 10 })),
  });
  const running = activeHistory({ restartsMonotonicMs });
  expect(explain(factsAt(86_400_000, { history: running })).restarts?.at_ms).toEqual([]);
});

test('the newest transitions are told, oldest first, and when the file changed', () => {
  const events = Array.from({ length: 15 }, (_, index) => ({
    seq: index,
    atMs: index,
    service: WEB,
    kind: index === 5 ? 'definition.accepted' : 'service.ended',
    message: `message ${index}`,
    actor: 'supervisor',
    data: { generation: 1 },
  }));
  const answer = explain(factsAt(5_000, { observation: running(100) }, { events }));
  expect(answer.transitions.map(({ at_ms }) => at_ms)).toEqual([
    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
  ]);
  expect(answer.transitions[0]).toEqual({
    at_ms: 3,
    kind: 'service.ended',
    message: 'message 3',
    actor: 'supervisor',
  });
  expect(answer.desired.decided_by.at_ms).toBe(5);
});

test('what is wrong with a definition is told place by place', () => {
  const linesByFile = new Map([['/c/a.yaml', new Map([['application', 2]])]]);
  const trouble = (one: Trouble) =>
    explain(factsAt(0, { desired: troubled(one) }, { linesByFile })).definition;
  expect(trouble(invalid)).toEqual({
    file: FILE,
    generation: 1,
    waiting: null,
    trouble: {
      kind: 'invalid',
      at_ms: null,
      places: [
        { file: FILE, line: 7, column: 5, message: 'process.nice: expected a number' },
        { file: FILE, line: 9, column: 1, message: 'unknown key' },
      ],
    },
  });
  expect(trouble(conflict).trouble?.places).toEqual([
    { file: '/c/a.yaml', line: 2, column: null, message: "defines 'web'" },
    { file: '/c/b.yaml', line: null, column: null, message: "defines 'web'" },
  ]);
  expect(trouble(held).trouble?.places).toEqual([
    { file: FILE, line: null, column: null, message: held.reason },
  ]);
  expect(
    explain(factsAt(0, { desired: never(conflict), history: EMPTY_HISTORY })).definition,
  ).toMatchObject({
    file: null,
    generation: null,
  });
});

test.for([
  [new Map([[FILE, new Map([['process', 1]])]]), 'global.enabled is true by default'],
  [new Map([[FILE, new Map()]]), 'global.enabled is true'],
] as const)('%j has no line for the switch', ([linesByFile, reason]) => {
  const { decided_by } = explain(
    factsAt(5_000, { observation: running(100) }, { linesByFile }),
  ).desired;
  expect(decided_by).toMatchObject({ file: FILE, line: null, reason });
});
