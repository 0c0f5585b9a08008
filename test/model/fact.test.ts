import { describe, expect, it } from 'vitest';
import { applyFact, type Fact } from '../../src/model/fact.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import {
  activeHistory,
  at,
  endedHistory,
  exited,
  progress,
  run,
  slot,
  stopProgress,
} from '../builders/situations.ts';

const exit: Fact = { kind: 'launched-exit', runNumber: 1, exit: exited(3), at: at(9) };
const launched: Fact = { kind: 'launched', runNumber: 1, main: { pid: 7, startTicks: 8 } };

describe('a fact', () => {
  it('of a launch begins a run and keeps how the one before was over', () => {
    const before = endedHistory(exited(1), { consecutiveFailures: 2, nextStartMonotonicMs: 5 });
    const after = applyFact(before, { kind: 'launching', run: run({ number: 2 }) });
    expect(after).toEqual({
      ...before,
      lastRunNumber: 2,
      run: run({ number: 2 }),
      runEnd: null,
      previousEnd: before.runEnd,
      main: null,
      mainIsLaunched: true,
      launchedExit: null,
      launchedExitAt: null,
      mainOutlived: false,
      stop: null,
      nextStartMonotonicMs: null,
    });
  });

  it('of a launch for a slot that was withdrawn has the slot run at once', () => {
    const before = endedHistory(exited(0), {
      job: progress({ current: slot({ run: null, tries: 0 }) }),
    });
    const launching = applyFact(before, {
      kind: 'launching',
      run: run({ number: 2, launchedAt: at(5), intentId: 4 }),
      slotMs: slot().slotMs,
    });
    expect(launching.job).toMatchObject({ current: { run: 2, tries: 1 }, servedIntentId: 4 });
    const after = applyFact(launching, { kind: 'launch-withdrawn', runNumber: 2, before });
    expect(after.job).toMatchObject({
      current: { run: null, tries: 0 },
      ...{ servedIntentId: 0, retryAtMonotonicMs: at(5).monotonicMs },
    });
  });

  it('of a launch that was withdrawn leaves everything as it was before', () => {
    const before = endedHistory(exited(1), { consecutiveFailures: 2, nextStartMonotonicMs: 5 });
    const launching = applyFact(before, { kind: 'launching', run: run({ number: 2 }) });
    expect(applyFact(launching, { kind: 'launch-withdrawn', runNumber: 2, before })).toEqual(
      before,
    );
    expect(applyFact(launching, { kind: 'launch-withdrawn', runNumber: 1, before })).toBe(
      launching,
    );
  });

  it('of a launch that was withdrawn takes back nothing else that happened meanwhile', () => {
    const provisioning = {
      ...{ at: at(1), message: 'EACCES', generation: 1, intentId: 0, failures: 1 },
      nextTryMonotonicMs: null,
    };
    const before = endedHistory(exited(1), { provisioning });
    const launching = applyFact(before, { kind: 'launching', run: run({ number: 2 }) });
    const asked = applyFact(launching, { kind: 'provisioning-requested' });
    expect(applyFact(asked, { kind: 'launch-withdrawn', runNumber: 2, before })).toEqual({
      ...before,
      provisioning: null,
    });
  });

  it('of this run changes it', () => {
    const launching = activeHistory({ main: null });
    expect(applyFact(launching, launched).main).toEqual({ pid: 7, startTicks: 8 });
    expect(applyFact(activeHistory(), exit)).toMatchObject({
      launchedExit: exited(3),
      launchedExitAt: at(9),
    });
  });

  it('of a launch that is known already changes nothing', () => {
    const history = activeHistory();
    expect(applyFact(history, launched)).toBe(history);
  });

  it('of an earlier run changes nothing', () => {
    const history = activeHistory({ run: run({ number: 2 }) });
    expect(applyFact(history, launched)).toBe(history);
    expect(applyFact(history, exit)).toBe(history);
  });

  it('that comes after the end of its run changes nothing', () => {
    const history = endedHistory(exited(0));
    expect(applyFact(history, exit)).toBe(history);
  });

  it('of a stop begins one, and of a kill goes on with it', () => {
    const stopping = applyFact(activeHistory(), {
      kind: 'stop-requested',
      at: at(5),
      reason: 'stopped by local',
      processes: 3,
    });
    expect(stopping.stop).toEqual({
      requestedAt: at(5),
      reason: 'stopped by local',
      processes: 3,
      askedAtMonotonicMs: null,
      commandFailed: false,
      killedAtMonotonicMs: null,
      killed: 0,
    });
    const killed = applyFact(stopping, { kind: 'kill-requested', atMonotonicMs: 70, killed: 2 });
    expect(killed.stop).toMatchObject({ killedAtMonotonicMs: 70, killed: 2 });
    const again = applyFact(killed, { kind: 'kill-requested', atMonotonicMs: 90, killed: 1 });
    expect(again.stop).toMatchObject({ killedAtMonotonicMs: 90, killed: 2 });
  });

  it('of a stop that is under way does not begin another', () => {
    const history = activeHistory({ stop: stopProgress({ killed: 1 }) });
    const fact: Fact = { kind: 'stop-requested', at: at(99), reason: 'again', processes: 9 };
    expect(applyFact(history, fact)).toBe(history);
  });

  it('tells how far a stop has come', () => {
    const history = activeHistory({ stop: stopProgress({ askedAtMonotonicMs: null }) });
    const asked = applyFact(history, { kind: 'stop-asked', atMonotonicMs: 42 });
    expect(asked.stop).toEqual(stopProgress({ askedAtMonotonicMs: 42 }));
    const failed = applyFact(history, { kind: 'stop-command-failed' });
    expect(failed.stop).toEqual(stopProgress({ askedAtMonotonicMs: null, commandFailed: true }));
  });

  it.each<Fact>([
    { kind: 'kill-requested', atMonotonicMs: 1, killed: 1 },
    { kind: 'stop-asked', atMonotonicMs: 1 },
    { kind: 'stop-command-failed' },
  ])('of a stop that there is not changes nothing: $kind', (fact) => {
    expect(applyFact(EMPTY_HISTORY, fact)).toBe(EMPTY_HISTORY);
  });
});
