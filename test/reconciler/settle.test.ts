import { describe, expect, it } from 'vitest';
import { EMPTY_HISTORY, type History } from '../../src/model/history.ts';
import { type SettleInput, settle } from '../../src/reconciler/settle.ts';
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
import { accepted, desired } from '../builders/specs.ts';

const NO_JITTER = 0.5;

function settled(input: Partial<SettleInput>, now = at(5_000), random = NO_JITTER): History {
  return settle(
    {
      desired: desired(),
      intent: null,
      observation: absent,
      environment: null,
      history: EMPTY_HISTORY,
      ...input,
    },
    now,
    random,
  );
}

const withPolicy = (policy: 'always' | 'on-failure' | 'never') =>
  desired(accepted({ restart: { policy } }));
const crashed = activeHistory({ launchedExit: exited(1), launchedExitAt: at(4_000) });

describe('the end of a run', () => {
  it('is an empty cgroup and a launched process that was reported', () => {
    const history = settled({ observation: empty, history: crashed });
    expect(history.runEnd).toEqual({ at: at(4_000), exit: exited(1), stop: null });
    expect(history.nextStartMonotonicMs).toBe(at(6_000).monotonicMs);
    expect(history.restartsMonotonicMs).toEqual([at(5_000).monotonicMs]);
    expect(history.consecutiveFailures).toBe(1);
  });

  it('is when the launched process ended, however late that is noticed', () => {
    const longAfter = settled({ observation: empty, history: crashed }, at(600_000));
    expect(longAfter.runEnd?.at).toEqual(at(4_000));
    expect(longAfter.nextStartMonotonicMs).toBe(at(601_000).monotonicMs);
  });

  it('is when the last process is gone, where others were seen to live on', () => {
    const outlived = settled({ observation: running(101), history: crashed }, at(4_500));
    expect(outlived).toEqual({ ...crashed, mainOutlived: true });
    expect(settled({ observation: empty, history: outlived }, at(9_000)).runEnd?.at).toEqual(
      at(9_000),
    );
  });

  it('is when it is noticed, where nobody knows more', () => {
    const history = settled({ observation: empty, history: activeHistory() }, at(9_000));
    expect(history.runEnd?.at).toEqual(at(9_000));
  });

  it('is an absent cgroup just as well', () => {
    expect(settled({ observation: absent, history: crashed }).runEnd?.exit).toEqual(exited(1));
  });

  it('is not concluded while the launched process is on its way in', () => {
    const observation = observed({ kind: 'empty' }, { launcherAlive: true });
    const history = activeHistory();
    expect(settled({ observation, history })).toBe(history);
  });

  it('is not concluded from a kernel that cannot be read', () => {
    expect(settled({ observation: unreadable, history: crashed })).toBe(crashed);
  });

  it('is not concluded while others of the service live on', () => {
    expect(settled({ observation: running(101), history: crashed }).runEnd).toBeNull();
  });

  it('is concluded once', () => {
    const once = settled({ observation: empty, history: crashed });
    expect(settled({ observation: empty, history: once }, at(6_000))).toBe(once);
  });

  it('has an unknown exit when no child of ours was seen ending', () => {
    const history = settled({ observation: empty, history: activeHistory() });
    expect(history.runEnd?.exit).toEqual({
      kind: 'unknown',
      reason: 'nobody was there to see it',
    });
    expect(history.nextStartMonotonicMs).not.toBeNull();
  });

  it('has an unknown exit when the main process had put itself into the background', () => {
    const history = activeHistory({
      mainIsLaunched: false,
      launchedExit: exited(0),
      launchedExitAt: at(10),
    });
    expect(settled({ observation: empty, history }).runEnd?.exit).toEqual({
      kind: 'unknown',
      reason: 'the main process had put itself into the background',
    });
  });

  it('keeps a launch failure as the reason', () => {
    const exit = { kind: 'launch_failed', stage: 'exec', message: 'no such file' } as const;
    const history = activeHistory({
      mainIsLaunched: false,
      launchedExit: exit,
      launchedExitAt: at(10),
    });
    expect(settled({ history }).runEnd?.exit).toEqual(exit);
  });

  it('that we caused costs no restart and says how it was stopped', () => {
    const stop = stopProgress({ requestedAt: at(4_000), processes: 3 });
    const history = settled({ observation: empty, history: { ...crashed, stop } });
    expect(history.runEnd?.stop).toEqual(stop);
    expect(history.stop).toBeNull();
    expect(history.nextStartMonotonicMs).toBeNull();
    expect(history.restartsMonotonicMs).toEqual([]);
  });

  it('of a service that never was valid is judged by the spec it ran with', () => {
    const hold = { name: desired().name, accepted: null, trouble: null };
    expect(
      settled({ desired: hold, observation: empty, history: crashed }).nextStartMonotonicMs,
    ).toBe(at(6_000).monotonicMs);
  });

  it('after a minute starts a new series of failures', () => {
    const ranFor = (ms: number) =>
      settled(
        {
          observation: empty,
          history: { ...crashed, consecutiveFailures: 3, launchedExitAt: at(ms) },
        },
        at(70_000),
      );
    expect(ranFor(59_999).consecutiveFailures).toBe(4);
    expect(ranFor(60_000).consecutiveFailures).toBe(1);
  });

  it('is not concluded while the stop command is at work', () => {
    const observation = observed({ kind: 'empty' }, { stopCommandRuns: true });
    const stopping = { ...crashed, stop: stopProgress() };
    expect(settled({ observation, history: stopping })).toBe(stopping);
    expect(settled({ observation, history: crashed }).runEnd).not.toBeNull();
    expect(settled({ observation: empty, history: stopping }).runEnd).not.toBeNull();
  });

  it('of a service without any known spec schedules nothing', () => {
    const history = activeHistory({ run: run({ accepted: null }) });
    const ended = settled({ desired: null, observation: empty, history });
    expect(ended.runEnd).not.toBeNull();
    expect(ended.nextStartMonotonicMs).toBeNull();
  });

  it('of a service whose definition is gone is judged by the spec it ran with', () => {
    const history = settled({ desired: null, observation: empty, history: crashed });
    expect(history.nextStartMonotonicMs).toBe(at(6_000).monotonicMs);
  });

  it.each([
    ['always', 0, true],
    ['always', 1, true],
    ['on-failure', 0, false],
    ['on-failure', 1, true],
    ['never', 0, false],
    ['never', 1, false],
  ] as const)('under %s with exit code %i schedules a restart: %s', (policy, code, expected) => {
    const history = activeHistory({ launchedExit: exited(code), launchedExitAt: at(4_000) });
    const ended = settled({ desired: withPolicy(policy), observation: empty, history });
    expect(ended.nextStartMonotonicMs !== null).toBe(expected);
  });
});

describe('a change of live fields', () => {
  const history = activeHistory();

  it('is in force for the run that goes on', () => {
    const live = accepted({ stopGraceMs: 9_000 }, 2, 'hash-1');
    const after = settled({ desired: desired(live), observation: running(100), history });
    expect(after.run?.accepted).toEqual(live);
  });

  it('is not taken for the spec of a run that was started with another command', () => {
    const after = settled({
      desired: desired(accepted({}, 2)),
      observation: running(100),
      history,
    });
    expect(after.run?.accepted?.generation).toBe(1);
  });

  it('gives no spec to a run that has none', () => {
    const unrecorded = activeHistory({ run: run({ accepted: null }) });
    expect(settled({ observation: running(100), history: unrecorded }).run?.accepted).toBeNull();
  });
});

describe('a service found running', () => {
  it('without a record becomes a run of its own', () => {
    const history = settled({
      observation: observed({ kind: 'populated', pids: [7] }),
      history: endedHistory(exited(0)),
    });
    expect(history.run).toMatchObject({
      number: 2,
      accepted: null,
      reason: 'found running without a record',
    });
    expect(history.lastRunNumber).toBe(2);
    expect(history.runEnd).toBeNull();
    expect(history.main).toBeNull();
    expect(history.launchedExit).toBeNull();
  });

  it('that has no history at all is its first run', () => {
    const history = settled({ observation: running(7) });
    expect(history.run).toMatchObject({ number: 1, intentId: 0, launchedAt: at(5_000) });
    expect(history.mainIsLaunched).toBe(false);
  });

  it('keeps the intent it had answered', () => {
    const ended = endedHistory(exited(0), { run: run({ intentId: 4 }) });
    expect(settled({ observation: running(7), history: ended }).run?.intentId).toBe(4);
  });
});

describe('a main process that puts itself into the background', () => {
  const leader = { pid: 200, startTicks: 9 };
  const forked = activeHistory({
    launchedExit: exited(0),
    launchedExitAt: at(4_000),
    mainOutlived: true,
  });
  const withLeader = observed({ kind: 'populated', pids: [200, 201] }, { leader });

  it('is followed', () => {
    const history = settled({ observation: withLeader, history: forked });
    expect(history.main).toEqual(leader);
    expect(history.mainIsLaunched).toBe(false);
  });

  it('is followed until two seconds after the launched process is gone', () => {
    expect(settled({ observation: withLeader, history: forked }, at(6_000)).main).toEqual(leader);
    expect(settled({ observation: withLeader, history: forked }, at(6_001))).toBe(forked);
  });

  it('is followed once: a survivor of it is not a new main process', () => {
    const followed = settled({ observation: withLeader, history: forked });
    const survivor = observed(
      { kind: 'populated', pids: [201] },
      { leader: { pid: 201, startTicks: 9 } },
    );
    expect(settled({ observation: survivor, history: followed })).toBe(followed);
  });

  it.each([
    ['failed', { launchedExit: exited(1) }],
    ['was killed', { launchedExit: { kind: 'signaled', signal: 'SIGKILL' } as const }],
    ['has not ended', { launchedExit: null, launchedExitAt: null, mainOutlived: false }],
  ])('is not guessed when the launched process %s', (_title, changes) => {
    const history = { ...forked, ...changes };
    expect(settled({ observation: withLeader, history })).toBe(history);
  });

  it('is not guessed when nothing stands out', () => {
    expect(settled({ observation: running(201, 202), history: forked })).toBe(forked);
  });
});

describe('the counters', () => {
  const worn = endedHistory(exited(1), {
    failed: true,
    consecutiveFailures: 4,
    restartsMonotonicMs: [at(1).monotonicMs],
    nextStartMonotonicMs: at(9_000).monotonicMs,
  });
  const fresh = {
    failed: false,
    consecutiveFailures: 0,
    restartsMonotonicMs: [],
    nextStartMonotonicMs: null,
  };

  it("are cleared by an operator's start, once", () => {
    const history = settled({ intent: intent(), history: worn });
    expect(history).toMatchObject({ ...fresh, clearedByIntentId: 1 });
    const wornAgain = { ...history, failed: true };
    expect(settled({ intent: intent(), history: wornAgain })).toBe(wornAgain);
  });

  it('are cleared by an accepted change of the spec, once', () => {
    const changed = desired(accepted({}, 2));
    const history = settled({ desired: changed, history: worn });
    expect(history).toMatchObject({ ...fresh, clearedByGeneration: 2 });
    const wornAgain = { ...history, failed: true };
    expect(settled({ desired: changed, history: wornAgain })).toBe(wornAgain);
  });

  it("are not cleared by an operator's stop", () => {
    expect(settled({ intent: intent({ want: 'stop' }), history: worn })).toBe(worn);
  });

  it('are not cleared by an older request than the last one that did', () => {
    const history = { ...worn, clearedByIntentId: 5 };
    expect(settled({ intent: intent({ id: 3 }), history })).toBe(history);
    expect(
      settled({ intent: intent({ id: 3 }), desired: desired(accepted({}, 2)), history })
        .clearedByIntentId,
    ).toBe(5);
  });

  it('stay when the definition is gone', () => {
    expect(settled({ desired: null, history: worn })).toBe(worn);
  });

  it('are cleared before a run that ended is judged', () => {
    const history = activeHistory({
      launchedExit: exited(1),
      launchedExitAt: at(1),
      consecutiveFailures: 5,
    });
    expect(
      settled({ desired: desired(accepted({}, 2)), observation: empty, history })
        .consecutiveFailures,
    ).toBe(1);
  });
});
