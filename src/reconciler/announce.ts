import type { Instant } from '../lib/clock.ts';
import type { Action } from '../model/action.ts';
import type { Fact } from '../model/fact.ts';

/**
 * What is recorded before an action is carried out, so that a crash in between is not a riddle; `null`
 * where there is nothing to tell. Processes are counted only where that is told.
 */
export function announce(action: Action, countProcesses: () => number, now: Instant): Fact | null {
  switch (action.kind) {
    case 'start':
      return {
        kind: 'launching',
        run: {
          number: action.runNumber,
          launchedAt: now,
          accepted: action.accepted,
          intentId: action.intentId,
          reason: action.reason,
        },
        ...(action.slotMs === undefined ? {} : { slotMs: action.slotMs }),
      };
    case 'record-slots': {
      const { slots, doneUntilMs } = action;
      return { kind: 'slots-recorded', slots, doneUntilMs };
    }
    case 'signal':
    case 'stop-command': {
      const processes = countProcesses();
      return { kind: 'stop-requested', at: now, reason: action.reason, processes };
    }
    case 'kill':
      return {
        kind: 'kill-requested',
        atMonotonicMs: now.monotonicMs,
        killed: countProcesses(),
      };
    case 'provision':
    case 'limit':
    case 'capture-logs':
    case 'remove-cgroup':
    case 'forget':
      return null;
  }
}
