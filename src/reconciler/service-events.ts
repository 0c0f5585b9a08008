import type { Instant } from '../lib/clock.ts';
import { formatLocalTime } from '../lib/local-time.ts';
import type { Action } from '../model/action.ts';
import type { ServiceEvent } from '../model/event.ts';
import { describeExit, type History, hasActiveRun, type RunEnd } from '../model/history.ts';
import type { Intent } from '../model/intent.ts';
import { describeOutOfMemory } from '../model/out-of-memory.ts';
import type { ServiceName } from '../model/service-name.ts';

import { jobTransitions, slotsEvent } from './job-events.ts';

const SUPERVISOR = 'supervisor';

/** Events for what became of a service between two passes. Pure. */
export function transitionEvents(
  name: ServiceName,
  before: History,
  after: History,
  now: Instant,
): readonly ServiceEvent[] {
  const event = (kind: string, message: string, data: ServiceEvent['data'] = {}): ServiceEvent => ({
    atMs: now.wallMs,
    service: name,
    kind,
    message,
    actor: SUPERVISOR,
    data: { run: after.run?.number ?? null, ...data },
  });
  const events: ServiceEvent[] = [];
  if (
    hasActiveRun(after) &&
    after.run.accepted === null &&
    before.run?.number !== after.run.number
  ) {
    events.push(event('service.found', after.run.reason));
  }
  if (
    hasActiveRun(after) &&
    after.launchedExit !== null &&
    before.launchedExit !== after.launchedExit
  ) {
    events.push(event('service.main-exited', `main process: ${describeExit(after.launchedExit)}`));
  }
  const lost = after.run?.outOfMemory;
  if (lost !== undefined && lost.kills > killsOf(before, after)) {
    const data = { kills: lost.kills, limit_bytes: lost.limitBytes, peak_bytes: lost.peakBytes };
    events.push(event('service.oom-killed', describeOutOfMemory(lost), data));
  }
  if (after.runEnd !== null && before.runEnd !== after.runEnd) {
    events.push(event(...endedAs(after.runEnd), exitData(after.runEnd)));
    if (after.nextStartMonotonicMs !== null) {
      const delayMs = Math.round(after.nextStartMonotonicMs - now.monotonicMs);
      events.push(event('service.backoff', `next start in ${delayMs} ms`, { delay_ms: delayMs }));
    }
  }
  if (after.failed && !before.failed) {
    events.push(event('service.failed', 'restart tolerance exhausted: no more restarts'));
  }
  const ofJob = jobTransitions(before.job, after.job, now.monotonicMs);
  return [...events, ...ofJob.map((told) => event(...told))];
}

/** Those of the same run that were told already. */
function killsOf(before: History, after: History): number {
  return before.run?.number === after.run?.number ? (before.run?.outOfMemory?.kills ?? 0) : 0;
}

function endedAs(end: RunEnd): readonly [string, string] {
  if (end.exit.kind === 'launch_failed') return ['service.launch-failed', end.exit.message];
  if (end.stop === null) return ['service.ended', describeExit(end.exit)];
  const { processes, killed, reason } = end.stop;
  const byThemselves = Math.max(processes - killed, 0);
  return ['service.stopped', `${reason}: ${byThemselves} ended, ${killed} killed`];
}

function exitData({ exit }: RunEnd): ServiceEvent['data'] {
  switch (exit.kind) {
    case 'exited':
      return { exit_code: exit.code };
    case 'signaled':
      return { signal: exit.signal };
    case 'launch_failed':
      return { stage: exit.stage };
    case 'unknown':
      return {};
  }
}

/** The event of an action that is being carried out, for those that people want to see. */
export function actionEvent(name: ServiceName, action: Action, atMs: number): ServiceEvent | null {
  const event = (kind: string, message: string, data: ServiceEvent['data'] = {}): ServiceEvent => ({
    atMs,
    service: name,
    kind,
    message,
    actor: SUPERVISOR,
    data,
  });
  switch (action.kind) {
    case 'start':
      return event('service.starting', `run ${action.runNumber}: ${action.reason}`, {
        run: action.runNumber,
        generation: action.accepted.generation,
      });
    case 'signal':
      return event('service.stopping', `${action.signal}: ${action.reason}`);
    case 'stop-command':
      return event('service.stopping', `${action.argv.join(' ')}: ${action.reason}`);
    case 'kill':
      return event('service.killing', action.reason);
    case 'forget':
      return event('service.removed', action.reason);
    case 'record-slots': {
      const told = slotsEvent(action);
      return told && event(...told);
    }
    case 'provision':
      return event('service.provisioning', action.reason, {
        generation: action.accepted.generation,
      });
    case 'limit':
    case 'capture-logs':
    case 'remove-cgroup':
      return null;
  }
}

/** The event of an action that failed. */
export function failureEvent(name: ServiceName, message: string, atMs: number): ServiceEvent {
  return {
    atMs,
    service: name,
    kind: 'service.action-failed',
    message,
    actor: SUPERVISOR,
    data: {},
  };
}

/** The event of an intent whose time is over. */
export function intentExpiredEvent(name: ServiceName, intent: Intent, atMs: number): ServiceEvent {
  const { id, want, actor, requestedAtMs, reason } = intent;
  const what = want === 'stop' ? 'stop' : 'start';
  return {
    atMs,
    service: name,
    kind: 'intent.expired',
    message: `the ${what} by ${actor} of ${formatLocalTime(requestedAtMs)} is over`,
    actor: SUPERVISOR,
    data: { intent: id, reason },
  };
}
