import { describe, expect, it } from 'vitest';
import { formatLocalTime } from '../../src/lib/local-time.ts';
import type { StopProgress } from '../../src/model/history.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import { phaseOf } from '../../src/model/status.ts';
import { plan } from '../../src/reconciler/plan.ts';
import type { PlanInput } from '../../src/reconciler/situation.ts';
import {
  absent,
  activeHistory,
  at,
  empty,
  endedHistory,
  exited,
  intent,
  observed,
  run,
  running,
  stopProgress,
  unreadable,
} from '../builders/situations.ts';
import { accepted, desired, LOG_SETTINGS } from '../builders/specs.ts';

/** What a plan comes to, in a line: phase, actions, requeue, and what else is true. */
function summary(input: Partial<PlanInput>, now = at(10_000)) {
  const planned = plan(
    {
      desired: desired(),
      intent: null,
      observation: absent,
      environment: null,
      history: EMPTY_HISTORY,
      shuttingDown: false,
      hostId: 'host',
      ...input,
    },
    now,
  );
  return {
    phase: phaseOf(planned.conditions),
    actions: planned.actions.map((action) => action.kind),
    requeueAfterMs: planned.requeueAfterMs,
    conditions: planned.conditions.map((condition) => condition.type),
  };
}

function messages(input: Partial<PlanInput>, now = at(10_000)) {
  const planned = plan(
    {
      desired: desired(),
      intent: null,
      observation: absent,
      environment: null,
      history: EMPTY_HISTORY,
      shuttingDown: false,
      hostId: 'host',
      ...input,
    },
    now,
  );
  return [
    ...planned.actions.map((action) => `${action.kind}: ${action.reason}`),
    ...planned.conditions.map((condition) => `${condition.type}: ${condition.message}`),
  ];
}

const stop = stopProgress;

const disabled = desired(accepted({ enabled: false }));
const withPolicy = (policy: 'always' | 'on-failure' | 'never') =>
  desired(accepted({ restart: { policy } }));

describe('what is wanted to run', () => {
  const rows: readonly (readonly [string, Partial<PlanInput>, ReturnType<typeof summary>])[] = [
    [
      'starts when it never ran',
      {},
      { phase: 'STARTING', actions: ['start'], requeueAfterMs: null, conditions: ['Starting'] },
    ],
    [
      'starts into an empty cgroup that is still there',
      { observation: empty },
      { phase: 'STARTING', actions: ['start'], requeueAfterMs: null, conditions: ['Starting'] },
    ],
    [
      'is left alone while it runs',
      { observation: running(100), history: activeHistory() },
      { phase: 'RUNNING', actions: [], requeueAfterMs: null, conditions: ['Populated'] },
    ],
    [
      'is waited for on its way into the cgroup',
      {
        observation: observed({ kind: 'empty' }, { launcherAlive: true }),
        history: activeHistory(),
      },
      { phase: 'STARTING', actions: [], requeueAfterMs: 1_000, conditions: ['Starting'] },
    ],
    [
      'is looked at again when the kernel could not be read',
      { observation: unreadable, history: activeHistory() },
      { phase: 'STOPPED', actions: [], requeueAfterMs: 1_000, conditions: ['Unknown'] },
    ],
    [
      'is stopped for a restart when its restart class changed',
      { observation: running(100), history: activeHistory(), desired: desired(accepted({}, 2)) },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping'],
      },
    ],
    [
      'is left alone when only live fields changed',
      {
        observation: running(100),
        history: activeHistory(),
        desired: desired(accepted({}, 2, 'hash-1')),
      },
      { phase: 'RUNNING', actions: [], requeueAfterMs: null, conditions: ['Populated'] },
    ],
    [
      'is stopped for a restart that was asked for after its start',
      { observation: running(100), history: activeHistory(), intent: intent({ restart: true }) },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping'],
      },
    ],
    [
      'is not restarted twice for one request',
      {
        observation: running(100),
        history: activeHistory({ run: run({ intentId: 1 }) }),
        intent: intent({ restart: true }),
      },
      { phase: 'RUNNING', actions: [], requeueAfterMs: null, conditions: ['Populated'] },
    ],
    [
      'has its output kept otherwise when its definition says so',
      {
        observation: observed(
          { kind: 'populated', pids: [100] },
          { logSettings: { ...LOG_SETTINGS, timestamps: true } },
        ),
        history: activeHistory(),
      },
      {
        phase: 'RUNNING',
        actions: ['capture-logs'],
        requeueAfterMs: null,
        conditions: ['Populated'],
      },
    ],
    [
      'gets its output read again after the daemon was replaced',
      {
        observation: observed({ kind: 'populated', pids: [100] }, { logsCaptured: false }),
        history: activeHistory(),
      },
      {
        phase: 'RUNNING',
        actions: ['capture-logs'],
        requeueAfterMs: null,
        conditions: ['Populated'],
      },
    ],
    [
      'runs on without its main process',
      {
        observation: observed({ kind: 'populated', pids: [101, 102] }),
        history: activeHistory({ launchedExit: exited(0), launchedExitAt: at(100) }),
      },
      {
        phase: 'RUNNING',
        actions: [],
        requeueAfterMs: null,
        conditions: ['Populated', 'MainProcessGone'],
      },
    ],
    [
      'is not called headless while its launched process may still join',
      {
        observation: observed({ kind: 'populated', pids: [101] }, { launcherAlive: true }),
        history: activeHistory(),
      },
      { phase: 'RUNNING', actions: [], requeueAfterMs: null, conditions: ['Populated'] },
    ],
    [
      'is starting until its main process is known',
      {
        observation: observed({ kind: 'populated', pids: [101] }, { launcherAlive: true }),
        history: activeHistory({ main: null }),
      },
      {
        phase: 'STARTING',
        actions: [],
        requeueAfterMs: null,
        conditions: ['Populated', 'Starting'],
      },
    ],
    [
      'is left alone when it was found running without a record',
      {
        observation: observed({ kind: 'populated', pids: [7] }),
        history: activeHistory({ run: run({ accepted: null }), main: null }),
      },
      {
        phase: 'RUNNING',
        actions: [],
        requeueAfterMs: null,
        conditions: ['Populated', 'Unrecorded'],
      },
    ],
    [
      'waits out the restart backoff',
      {
        observation: empty,
        history: endedHistory(exited(1), {
          nextStartMonotonicMs: at(10_250).monotonicMs,
          consecutiveFailures: 1,
        }),
      },
      {
        phase: 'BACKOFF',
        actions: ['remove-cgroup'],
        requeueAfterMs: 250,
        conditions: ['Backoff'],
      },
    ],
    [
      'starts again at the moment the backoff is over',
      { history: endedHistory(exited(1), { nextStartMonotonicMs: at(10_000).monotonicMs }) },
      { phase: 'STARTING', actions: ['start'], requeueAfterMs: null, conditions: ['Starting'] },
    ],
    [
      'stays down when the tolerance is exhausted',
      { observation: empty, history: endedHistory(exited(1), { failed: true }) },
      { phase: 'FAILED', actions: ['remove-cgroup'], requeueAfterMs: null, conditions: ['Failed'] },
    ],
    [
      'stays down after a success that the policy is content with',
      { desired: withPolicy('on-failure'), history: endedHistory(exited(0)) },
      { phase: 'STOPPED', actions: [], requeueAfterMs: null, conditions: ['Completed'] },
    ],
    [
      'is shown as failed when it failed and is never restarted',
      { desired: withPolicy('never'), history: endedHistory(exited(2)) },
      { phase: 'FAILED', actions: [], requeueAfterMs: null, conditions: ['Failed'] },
    ],
    [
      'starts again under never when an operator asks',
      { desired: withPolicy('never'), history: endedHistory(exited(0)), intent: intent() },
      { phase: 'STARTING', actions: ['start'], requeueAfterMs: null, conditions: ['Starting'] },
    ],
    [
      'does not start again under never for a request that was served',
      {
        desired: withPolicy('never'),
        history: endedHistory(exited(0), { run: run({ intentId: 1 }) }),
        intent: intent(),
      },
      { phase: 'STOPPED', actions: [], requeueAfterMs: null, conditions: ['Completed'] },
    ],
    [
      'starts again under never when its definition changed after a failure',
      {
        desired: desired(accepted({ restart: { policy: 'never' } }, 2)),
        history: endedHistory(exited(2)),
      },
      { phase: 'STARTING', actions: ['start'], requeueAfterMs: null, conditions: ['Starting'] },
    ],
    [
      'stays down under never when its definition changed after a success',
      {
        desired: desired(accepted({ restart: { policy: 'never' } }, 2)),
        history: endedHistory(exited(0)),
      },
      { phase: 'STOPPED', actions: [], requeueAfterMs: null, conditions: ['Completed'] },
    ],
    [
      'starts under never after a stop that was ours',
      {
        desired: withPolicy('never'),
        history: endedHistory(exited(0), {
          runEnd: { at: at(1_000), exit: exited(0), stop: stop() },
        }),
      },
      { phase: 'STARTING', actions: ['start'], requeueAfterMs: null, conditions: ['Starting'] },
    ],
    [
      'starts although disabled when an operator forces it',
      { desired: disabled, intent: intent({ forced: true }) },
      { phase: 'STARTING', actions: ['start'], requeueAfterMs: null, conditions: ['Starting'] },
    ],
  ];
  it.each(rows)('%s', (_title, input, expected) => {
    expect(summary(input)).toEqual(expected);
  });
});

describe('what is wanted stopped', () => {
  const byOperator = intent({ want: 'stop' });
  const runningNow = { observation: running(100, 101), history: activeHistory() };
  const stopping = (changes: Partial<StopProgress>) => ({
    observation: running(100, 101),
    history: activeHistory({ stop: stop(changes) }),
    intent: byOperator,
  });
  const rows: readonly (readonly [string, Partial<PlanInput>, ReturnType<typeof summary>])[] = [
    [
      'is signalled and given its grace',
      { ...runningNow, intent: byOperator },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is asked by its stop command instead of a signal',
      {
        ...runningNow,
        intent: byOperator,
        desired: desired(
          accepted({ stop: { kind: 'command', argv: ['./stop.sh'] }, stopGraceMs: 700 }),
        ),
      },
      {
        phase: 'STOPPING',
        actions: ['stop-command'],
        requeueAfterMs: 700,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is stopped when it was disabled',
      { ...runningNow, desired: disabled },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'Disabled'],
      },
    ],
    [
      'is stopped although a start was asked for before it was disabled',
      { ...runningNow, desired: disabled, intent: intent() },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'Disabled'],
      },
    ],
    [
      'is stopped when its definition is gone',
      { ...runningNow, desired: null },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'Removed'],
      },
    ],
    [
      'is stopped when the daemon shuts down',
      { ...runningNow, shuttingDown: true },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping'],
      },
    ],
    [
      'is waited for within its grace',
      stopping({ requestedAt: at(6_000) }),
      {
        phase: 'STOPPING',
        actions: [],
        requeueAfterMs: 1_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is asked again when that was not done, by whoever was to do it',
      stopping({ requestedAt: at(9_000), askedAtMonotonicMs: null }),
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'has its grace counted from when it was asked',
      stopping({ requestedAt: at(1_000), askedAtMonotonicMs: at(9_000).monotonicMs }),
      {
        phase: 'STOPPING',
        actions: [],
        requeueAfterMs: 4_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is killed when it could not be asked for as long as its grace',
      stopping({ requestedAt: at(5_000), askedAtMonotonicMs: null }),
      {
        phase: 'STOPPING',
        actions: ['kill'],
        requeueAfterMs: 2_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is signalled when its stop command cannot be run',
      {
        ...stopping({ askedAtMonotonicMs: null, commandFailed: true }),
        desired: desired(accepted({ stop: { kind: 'command', argv: ['./stop.sh'] } })),
      },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is not over while its stop command is at work',
      {
        observation: observed({ kind: 'empty' }, { stopCommandRuns: true }),
        history: activeHistory({ stop: stop() }),
      },
      { phase: 'STOPPING', actions: [], requeueAfterMs: 1_000, conditions: ['Stopping'] },
    ],
    [
      'looks for the end of a stop command no later than its grace',
      {
        observation: observed({ kind: 'absent' }, { stopCommandRuns: true }),
        history: activeHistory({ stop: stop({ requestedAt: at(5_400) }) }),
      },
      { phase: 'STOPPING', actions: [], requeueAfterMs: 400, conditions: ['Stopping'] },
    ],
    [
      'takes its stop command with it when the grace is over',
      {
        observation: observed({ kind: 'empty' }, { stopCommandRuns: true }),
        history: activeHistory({ stop: stop({ requestedAt: at(5_000) }) }),
      },
      { phase: 'STOPPING', actions: ['kill'], requeueAfterMs: 2_000, conditions: ['Stopping'] },
    ],
    [
      'is killed when the grace is over',
      stopping({ requestedAt: at(5_000) }),
      {
        phase: 'STOPPING',
        actions: ['kill'],
        requeueAfterMs: 2_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is given the kernel a moment after the kill',
      stopping({ requestedAt: at(0), killedAtMonotonicMs: at(9_000).monotonicMs }),
      {
        phase: 'STOPPING',
        actions: [],
        requeueAfterMs: 1_000,
        conditions: ['Populated', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'is called stuck when the kernel does not let go',
      stopping({ requestedAt: at(0), killedAtMonotonicMs: at(8_000).monotonicMs }),
      {
        phase: 'STOPPING',
        actions: [],
        requeueAfterMs: 3_000,
        conditions: ['Populated', 'Stopping', 'StopStuck', 'StoppedByOperator'],
      },
    ],
    [
      'is killed again when it stays stuck',
      stopping({ requestedAt: at(0), killedAtMonotonicMs: at(5_000).monotonicMs }),
      {
        phase: 'STOPPING',
        actions: ['kill'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'StopStuck', 'StoppedByOperator'],
      },
    ],
    [
      'is stopped to the end before a start that arrived meanwhile',
      { ...stopping({ requestedAt: at(6_000) }), intent: intent({ id: 2 }) },
      {
        phase: 'STOPPING',
        actions: [],
        requeueAfterMs: 1_000,
        conditions: ['Populated', 'Stopping'],
      },
    ],
    [
      'is not signalled on its way into the cgroup, where no signal would reach all of it',
      {
        observation: observed({ kind: 'absent' }, { launcherAlive: true }),
        history: activeHistory(),
        intent: byOperator,
      },
      {
        phase: 'STOPPING',
        actions: [],
        requeueAfterMs: 1_000,
        conditions: ['Starting', 'Stopping', 'StoppedByOperator'],
      },
    ],
    [
      'has its cgroup removed when it is down',
      { observation: empty, history: endedHistory(exited(0)), intent: byOperator },
      {
        phase: 'STOPPED',
        actions: ['remove-cgroup'],
        requeueAfterMs: null,
        conditions: ['StoppedByOperator'],
      },
    ],
    [
      'needs nothing more when its cgroup is gone',
      { intent: byOperator, history: endedHistory(exited(0)) },
      { phase: 'STOPPED', actions: [], requeueAfterMs: null, conditions: ['StoppedByOperator'] },
    ],
    [
      'is shown as disabled when it is down',
      { desired: disabled },
      { phase: 'DISABLED', actions: [], requeueAfterMs: null, conditions: ['Disabled'] },
    ],
    [
      'is forgotten when its definition is gone and it is down',
      { observation: empty, desired: null, history: endedHistory(exited(0)) },
      {
        phase: 'STOPPED',
        actions: ['remove-cgroup', 'forget'],
        requeueAfterMs: null,
        conditions: ['Removed'],
      },
    ],
    [
      'is stopped although its start backoff is pending',
      {
        history: endedHistory(exited(1), { nextStartMonotonicMs: at(60_000).monotonicMs }),
        intent: byOperator,
      },
      { phase: 'STOPPED', actions: [], requeueAfterMs: null, conditions: ['StoppedByOperator'] },
    ],
    [
      'without a known spec gets SIGTERM and the default grace',
      {
        observation: observed({ kind: 'populated', pids: [7] }),
        history: activeHistory({ run: run({ accepted: null }), main: null }),
        desired: null,
      },
      {
        phase: 'STOPPING',
        actions: ['signal'],
        requeueAfterMs: 5_000,
        conditions: ['Populated', 'Stopping', 'Removed'],
      },
    ],
  ];
  it.each(rows)('%s', (_title, input, expected) => {
    expect(summary(input)).toEqual(expected);
  });
});

describe('what never had a valid definition', () => {
  const problem = {
    file: '/c/web.yaml',
    line: 3,
    column: 5,
    keyPath: 'process.usr',
    message: 'unknown key',
  };
  const invalid = {
    name: desired().name,
    accepted: null,
    trouble: { kind: 'invalid', problems: [problem] },
  } as const;

  it('is neither started nor stopped', () => {
    expect(summary({ desired: invalid })).toEqual({
      phase: 'INVALID',
      actions: [],
      requeueAfterMs: null,
      conditions: ['DefinitionInvalid', 'NeverValid'],
    });
    expect(
      summary({ desired: invalid, observation: running(9), history: activeHistory() }).actions,
    ).toEqual([]);
  });

  it('is not stopped for a restart that could not bring it back', () => {
    const input = { desired: invalid, observation: running(9), history: activeHistory() };
    expect(summary({ ...input, intent: intent({ restart: true }) }).actions).toEqual([]);
  });

  it('is stopped when an operator says so', () => {
    const input = { desired: invalid, observation: running(9), history: activeHistory() };
    expect(summary({ ...input, intent: intent({ want: 'stop' }) })).toMatchObject({
      phase: 'STOPPING',
      actions: ['signal'],
    });
  });

  it('leaves no empty cgroup behind', () => {
    expect(summary({ desired: invalid, observation: empty }).actions).toEqual(['remove-cgroup']);
  });

  it('says where and why', () => {
    expect(messages({ desired: invalid })[0]).toBe(
      'DefinitionInvalid: /c/web.yaml:3:5: process.usr: unknown key',
    );
  });
});

describe('the reasons', () => {
  it.each([
    ['a start', {}, 'start: it is enabled'],
    [
      'a start by an operator',
      { history: endedHistory(exited(0)), intent: intent() },
      'start: requested by local',
    ],
    ['a restart', { history: endedHistory(exited(3)) }, 'start: restarted after exit code 3'],
    [
      'a stop',
      { observation: running(1), history: activeHistory(), intent: intent({ want: 'stop' }) },
      'signal: stopped by local',
    ],
    [
      'a change of the definition',
      { observation: running(1), history: activeHistory(), desired: desired(accepted({}, 2)) },
      'signal: its definition changed (generation 2)',
    ],
    [
      'a restart that was asked for',
      { observation: running(1), history: activeHistory(), intent: intent({ restart: true }) },
      'signal: restart requested by local',
    ],
    [
      'a restart by policy after a failed start',
      { history: endedHistory({ kind: 'launch_failed', stage: 'exec', message: 'no such file' }) },
      'start: restarted after no such file',
    ],
    [
      'a start by a change after a failure',
      {
        desired: desired(accepted({ restart: { policy: 'never' } }, 2)),
        history: endedHistory(exited(2)),
      },
      'start: its definition changed after exit code 2',
    ],
    [
      'a start after a stop of ours',
      {
        history: endedHistory(exited(0), { runEnd: { at: at(1), exit: exited(0), stop: stop() } }),
      },
      'start: it is enabled',
    ],
    [
      'a start of what was never seen running',
      { history: activeHistory({ failed: true }) },
      'Failed: not seen running; more than 3 restarts within 180 s: no more until pmctl start or a change of its definition',
    ],
    [
      'a run without a record',
      {
        observation: running(7),
        history: activeHistory({ run: run({ accepted: null, reason: 'found' }) }),
      },
      'Unrecorded: found; pmctl restart starts it anew',
    ],
    [
      'reading on',
      {
        observation: observed({ kind: 'populated', pids: [100] }, { logsCaptured: false }),
        history: activeHistory(),
      },
      'capture-logs: its output is not being read',
    ],
    [
      'tidying up',
      { observation: empty, intent: intent({ want: 'stop' }) },
      'remove-cgroup: nothing runs in it',
    ],
    [
      'a launch under way',
      {
        observation: observed({ kind: 'empty' }, { launcherAlive: true }),
        history: activeHistory(),
      },
      'Starting: launched, entering its cgroup',
    ],
    [
      'a kill of a stop command',
      {
        observation: observed({ kind: 'empty' }, { stopCommandRuns: true }),
        history: activeHistory({ stop: stop({ requestedAt: at(0) }) }),
      },
      'kill: its stop command still there after 5000 ms of grace',
    ],
    [
      'a stop command that is stuck',
      {
        observation: observed({ kind: 'empty' }, { stopCommandRuns: true }),
        history: activeHistory({
          stop: stop({ requestedAt: at(0), killedAtMonotonicMs: at(8_000).monotonicMs }),
        }),
      },
      'StopStuck: killed, but the kernel has not let go of its stop command; it is tried again',
    ],
    [
      'a repeated kill',
      {
        observation: running(41),
        history: activeHistory({
          stop: stop({ requestedAt: at(0), killedAtMonotonicMs: at(0).monotonicMs }),
        }),
      },
      'kill: the kernel has not let go',
    ],
    [
      'a definition that never was valid',
      { desired: { name: desired().name, accepted: null, trouble: null } },
      'NeverValid: there never was a valid definition; mend the file',
    ],
    [
      'a kill',
      {
        observation: running(1, 2),
        history: activeHistory({ stop: stop({ requestedAt: at(0) }) }),
      },
      'kill: 2 processes still there after 5000 ms of grace',
    ],
    [
      'a failure',
      { history: endedHistory(exited(1), { failed: true }) },
      'Failed: exit code 1; more than 3 restarts within 180 s: no more until pmctl start or a change of its definition',
    ],
    [
      'a backoff',
      {
        history: endedHistory(exited(1), {
          nextStartMonotonicMs: at(11_000).monotonicMs,
          consecutiveFailures: 2,
        }),
      },
      'Backoff: exit code 1; restart 2 of a series',
    ],
    [
      'a completion',
      { desired: withPolicy('on-failure'), history: endedHistory(exited(0)) },
      'Completed: exit code 0; restart policy on-failure leaves it at that; pmctl start runs it again',
    ],
    [
      'a missing main process',
      {
        observation: observed({ kind: 'populated', pids: [101] }),
        history: activeHistory({ launchedExit: exited(0), launchedExitAt: at(100) }),
      },
      'MainProcessGone: the main process 100 is gone (exit code 0), 1 process lives on',
    ],
    [
      'a missing main process that was not our child',
      {
        observation: observed({ kind: 'populated', pids: [101, 102] }),
        history: activeHistory({ mainIsLaunched: false, launchedExit: exited(0) }),
      },
      'MainProcessGone: the main process 100 is gone, 2 processes live on',
    ],
    [
      'a stuck stop',
      {
        observation: running(41, 42),
        history: activeHistory({
          stop: stop({ requestedAt: at(0), killedAtMonotonicMs: at(8_000).monotonicMs }),
        }),
      },
      'StopStuck: killed, but the kernel has not let go of 41, 42; it is tried again',
    ],
    [
      'a conflict',
      {
        desired: {
          ...desired(),
          trouble: { kind: 'conflict', files: ['/a.yaml', '/b.yaml'] },
        } as const,
      },
      'DefinitionConflict: defined more than once: /a.yaml, /b.yaml; remove all but one; the last good definition stays in force',
    ],
    [
      'a hold',
      {
        desired: {
          ...desired(),
          trouble: { kind: 'held', source: 'config:/c', reason: '/c: No such file or directory' },
        } as const,
      },
      'DefinitionHeld: /c: No such file or directory; nothing is stopped until pmctl update --prune confirms it',
    ],
    [
      'a change that waits',
      { desired: { ...desired(), waiting: 'changed' } as const },
      'ChangePending: its definition was changed; pmctl diff shows how, pmctl update applies it',
    ],
    [
      'a removal that waits',
      { desired: { ...desired(), waiting: 'removed' } as const },
      'ChangePending: its definition is gone; pmctl update stops and forgets it',
    ],
    [
      'a disabled service',
      { desired: disabled },
      'Disabled: global.enabled is false; pmctl start --force runs it all the same',
    ],
    [
      'an operator',
      { intent: intent({ want: 'stop', actor: 'ana' }) },
      `StoppedByOperator: stopped by ana at ${formatLocalTime(at(0).wallMs)}; pmctl start lets it run again`,
    ],
    [
      'an operator who said why and for how long',
      { intent: intent({ want: 'stop', reason: 'new disk', until: at(60_000) }) },
      `StoppedByOperator: stopped by local at ${formatLocalTime(at(0).wallMs)}: new disk; until ${formatLocalTime(at(60_000).wallMs)}; pmctl start lets it run again`,
    ],
    [
      'a stop with a reason',
      {
        intent: intent({ want: 'stop', reason: 'new disk' }),
        observation: running(100),
        history: activeHistory(),
      },
      'signal: stopped by local: new disk',
    ],
    [
      'an unreadable kernel',
      { observation: unreadable },
      "Unknown: the kernel's state could not be read: Input/output error (EIO)",
    ],
  ] as const)('of %s are said in words', (_title, input, expected) => {
    expect(messages(input)).toContain(expected);
  });
});

describe('a start', () => {
  it('is numbered after every run before it and names the newest request', () => {
    const history = { ...EMPTY_HISTORY, lastRunNumber: 41 };
    const { actions } = plan(
      {
        desired: desired(),
        intent: intent({ id: 9 }),
        observation: absent,
        history,
        environment: null,
        shuttingDown: false,
        hostId: 'host',
      },
      at(0),
    );
    expect(actions).toMatchObject([
      { kind: 'start', runNumber: 42, intentId: 9, accepted: accepted() },
    ]);
  });

  it('without any request names none', () => {
    const input = { desired: desired(), intent: null, observation: absent, history: EMPTY_HISTORY };
    expect(
      plan({ ...input, environment: null, shuttingDown: false, hostId: 'host' }, at(0)).actions,
    ).toMatchObject([{ intentId: 0 }]);
  });

  it('uses the signal of the spec, and of the newest spec', () => {
    const changed = desired(
      accepted({ stop: { kind: 'signal', signal: 'SIGQUIT' }, stopGraceMs: 9_000 }, 2),
    );
    const input = {
      desired: changed,
      intent: null,
      observation: running(1),
      history: activeHistory(),
    };
    const planned = plan(
      { ...input, environment: null, shuttingDown: false, hostId: 'host' },
      at(0),
    );
    expect(planned.actions).toMatchObject([{ kind: 'signal', signal: 'SIGQUIT' }]);
    expect(planned.requeueAfterMs).toBe(9_000);
  });

  it('that is gone is stopped by the spec it was started with', () => {
    const stopped = activeHistory({
      run: run({ accepted: accepted({ stop: { kind: 'signal', signal: 'SIGINT' } }) }),
    });
    const input = { desired: null, intent: null, observation: running(1), history: stopped };
    expect(
      plan({ ...input, environment: null, shuttingDown: false, hostId: 'host' }, at(0)).actions,
    ).toMatchObject([{ signal: 'SIGINT' }]);
  });

  it('of unknown spec is killed after the default grace', () => {
    const history = activeHistory({
      run: run({ accepted: null }),
      stop: stop({ requestedAt: at(0) }),
    });
    const input = {
      desired: null,
      intent: null,
      observation: running(1),
      environment: null,
      history,
      shuttingDown: false,
      hostId: 'host',
    };
    expect(plan(input, at(4_999)).requeueAfterMs).toBe(1);
    expect(plan(input, at(5_000)).actions.map((action) => action.kind)).toEqual(['kill']);
  });

  it('of unknown spec is not read from FIFOs that nobody knows', () => {
    const history = activeHistory({ run: run({ accepted: null }) });
    const observation = observed({ kind: 'populated', pids: [1] }, { logsCaptured: false });
    const hold = { name: desired().name, accepted: null, trouble: null };
    expect(summary({ desired: hold, observation, history }).actions).toEqual([]);
  });
});

describe('an intent with an end', () => {
  const forAMinute = intent({ want: 'stop', until: at(60_000) });

  it.each<[string, Partial<PlanInput>, number | null]>([
    ['wakes a service that is down', { intent: forAMinute }, 50_000],
    [
      'does not make a stop wait for it',
      { intent: forAMinute, observation: running(100), history: activeHistory({ stop: stop() }) },
      5_000,
    ],
    [
      'wakes a service in the middle of its stop',
      {
        intent: intent({ want: 'stop', until: at(11_000) }),
        observation: running(100),
        history: activeHistory({ stop: stop() }),
      },
      1_000,
    ],
    ['wakes a disabled one, too', { intent: forAMinute, desired: disabled }, 50_000],
    ['is due at once when its time is over', { intent: intent({ until: at(9_000) }) }, 0],
  ])('%s', (_title, input, requeueAfterMs) => {
    expect(summary(input).requeueAfterMs).toBe(requeueAfterMs);
  });
});
