import { formatDuration } from '../lib/duration.ts';
import type { Action } from '../model/action.ts';
import { describeExit, hasActiveRun, type StopProgress } from '../model/history.ts';
import { isSameLogSettings, logSettingsOf } from '../model/log-settings.ts';
import type { Observation } from '../model/observation.ts';
import { describeOutOfMemory } from '../model/out-of-memory.ts';
import type { AcceptedSpec, ServiceSpec } from '../model/service-spec.ts';
import type { Condition } from '../model/status.ts';
import { DEFAULT_GRACE_MS, KILL_AGAIN_MS, killDueMonotonicMs } from '../model/stop-timing.ts';
import {
  appliedContentReason,
  environmentConditions,
  reasonToTryAgain,
} from './changed-content.ts';
import { planLimits } from './plan-limits.ts';
import { planProvisioning } from './plan-provisioning.ts';
import { isFailure, wantsRestart } from './restart-budget.ts';
import type { Plan, Situation } from './situation.ts';

/** How soon to look again at what could not be read. */
const LOOK_AGAIN_MS = 1_000;
/** A killed process that is still there after this long is stuck in the kernel. */
const STUCK_AFTER_MS = 2_000;

/** The plan of a service that is not a job. Pure; the table in model/state.ts is its specification. */
export function planService(situation: Situation): Plan {
  return planPresent(situation) ?? planDown(situation);
}

/** The plan while something runs, is about to or cannot be seen; `null` when none of it is so. */
export function planPresent(situation: Situation): Plan | null {
  switch (situation.observation.cgroup.kind) {
    case 'unknown':
      return planUnknown(situation.observation.cgroup.reason);
    case 'populated':
      return planPopulated(situation, situation.observation.cgroup.pids);
    case 'empty':
    case 'absent':
      return planEmpty(situation);
  }
}

function planUnknown(reason: string): Plan {
  const message = `the kernel's state could not be read: ${reason}`;
  return { actions: [], requeueAfterMs: LOOK_AGAIN_MS, conditions: [{ type: 'Unknown', message }] };
}

function planEmpty(situation: Situation): Plan | null {
  const { observation, history } = situation;
  if (observation.launcherAlive) return planLaunching(situation);
  // The service is gone, its stop command is not: the stop is not over.
  if (hasActiveRun(history) && history.stop !== null)
    return continueStop(situation, history.stop, []);
  return null;
}

function planPopulated(situation: Situation, pids: readonly number[]): Plan {
  const populated: Condition = { type: 'Populated', message: countProcesses(pids.length) };
  const planned = planWhilePopulated(situation, pids);
  return { ...planned, conditions: [populated, ...planned.conditions] };
}

/** A stop that was begun is finished before anything else is considered. */
function planWhilePopulated(situation: Situation, pids: readonly number[]): Plan {
  const { stop } = situation.history;
  if (stop !== null) return continueStop(situation, stop, pids);
  const due = reasonToStop(situation);
  return due === null ? planRunning(situation, pids) : beginStop(situation, due);
}

/** Launched and not in the cgroup yet: nothing can be signalled through it. */
function planLaunching(situation: Situation): Plan {
  const due = reasonToStop(situation);
  // The way into the cgroup takes milliseconds; its event or the exit's report comes by itself.
  const conditions: Condition[] = [{ type: 'Starting', message: 'launched, entering its cgroup' }];
  if (due !== null) conditions.push({ type: 'Stopping', message: due });
  return { actions: [], requeueAfterMs: LOOK_AGAIN_MS, conditions };
}

/** Why a service that runs must be stopped, or null. */
function reasonToStop(situation: Situation): string | null {
  const { wanted, history, intent, desired } = situation;
  if (wanted.kind === 'stop' || wanted.kind === 'remove') return wanted.reason;
  if (wanted.kind === 'hold' || !hasActiveRun(history)) return null;
  if (intent?.restart === true && history.run.intentId < intent.id) {
    return `restart requested by ${intent.actor}`;
  }
  const accepted = desired?.accepted;
  const maxMs = accepted?.spec.job?.maxTimePerRunMs ?? null;
  if (maxMs !== null && history.job?.overtimeRun === history.run.number) {
    return `it took longer than process.max_time_per_run (${formatDuration(maxMs)})`;
  }
  // A job is not cut short by an edit: its next run is of the new definition.
  if (accepted?.spec.job) return null;
  const startedWith = history.run.accepted?.restartHash;
  if (startedWith !== undefined && accepted && accepted.restartHash !== startedWith) {
    return `its definition changed (generation ${accepted.generation})`;
  }
  return appliedContentReason(situation);
}

function planRunning(situation: Situation, pids: readonly number[]): Plan {
  const { history, observation } = situation;
  const spec = specInForce(situation)?.spec ?? null;
  const conditions: Condition[] = [];
  if (history.run?.accepted && history.main === null && observation.launcherAlive) {
    // Its answer is on the way; who waits for the start wants the main process, too.
    conditions.push({
      type: 'Starting',
      message: 'launched, its main process is about to be known',
    });
  }
  if (hasActiveRun(history) && history.run.accepted === null) {
    conditions.push({
      type: 'Unrecorded',
      message: `${history.run.reason}; pmctl restart starts it anew`,
    });
  }
  if (history.main !== null && !pids.includes(history.main.pid) && !observation.launcherAlive) {
    const count = countProcesses(pids.length);
    const how =
      history.mainIsLaunched && history.launchedExit
        ? ` (${describeExit(history.launchedExit)})`
        : '';
    const message = `the main process ${history.main.pid} is gone${how}, ${count} live${pids.length === 1 ? 's' : ''} on`;
    conditions.push({ type: 'MainProcessGone', message });
  }
  const { outOfMemory } = history.run ?? {};
  if (outOfMemory !== undefined) {
    conditions.push({ type: 'OutOfMemory', message: describeOutOfMemory(outOfMemory) });
  }
  conditions.push(...environmentConditions(situation));
  const limits = planLimits(situation);
  const provisioning = provisionWhileRunning(situation);
  return {
    actions: [...captureActions(situation, spec), ...limits.actions, ...provisioning.actions],
    requeueAfterMs: provisioning.requeueAfterMs,
    conditions: [...conditions, ...limits.conditions, ...provisioning.conditions],
  };
}

/** A marker that was deleted is an order to provision again; the processes are not touched. */
function provisionWhileRunning(situation: Situation): Plan {
  const accepted = situation.desired?.accepted;
  return accepted && situation.wanted.kind === 'run'
    ? planProvisioning(situation, accepted)
    : { actions: [], requeueAfterMs: null, conditions: [] };
}

/** FIFOs of a service whose spec is not known are nobody's to read. */
function captureActions(
  { history, observation }: Situation,
  spec: ServiceSpec | null,
): readonly Action[] {
  if (spec === null || history.run === null) return [];
  const reason = reasonToCapture(observation, spec);
  return reason === null
    ? []
    : [{ kind: 'capture-logs', spec, runNumber: history.run.number, reason }];
}

/** Why the capture of a service's output is not as it should be, or null. */
function reasonToCapture(
  { logsCaptured, logSettings }: Observation,
  spec: ServiceSpec,
): string | null {
  if (!logsCaptured) return 'its output is not being read';
  const isAsWanted = logSettings === null || isSameLogSettings(logSettings, logSettingsOf(spec));
  return isAsWanted ? null : 'how its output is kept has changed';
}

/** Asks the service to end; its grace begins when that is done. */
function beginStop(situation: Situation, reason: string): Plan {
  const accepted = specInForce(situation);
  const requeueAfterMs = accepted?.spec.stopGraceMs ?? DEFAULT_GRACE_MS;
  const conditions: Condition[] = [{ type: 'Stopping', message: reason }];
  return { actions: [askToEnd(situation, accepted, reason)], requeueAfterMs, conditions };
}

function askToEnd({ history }: Situation, accepted: AcceptedSpec | null, reason: string): Action {
  const stop = accepted?.spec.stop;
  if (accepted && stop?.kind === 'command' && history.stop?.commandFailed !== true) {
    return { kind: 'stop-command', accepted, argv: stop.argv, reason };
  }
  const signal = stop?.kind === 'signal' ? stop.signal : 'SIGTERM';
  return { kind: 'signal', signal, reason };
}

/** The end of a stop command that an earlier daemon ran is told by nobody. */
const STOP_COMMAND_LOOK_MS = 1_000;

function continueStop(situation: Situation, stop: StopProgress, pids: readonly number[]): Plan {
  const { now, observation } = situation;
  const stopping: Condition = { type: 'Stopping', message: stop.reason };
  if (stop.killedAtMonotonicMs !== null) {
    return continueKill(stop.killedAtMonotonicMs, stopping, pids, now.monotonicMs);
  }
  const graceMs = specInForce(situation)?.spec.stopGraceMs ?? DEFAULT_GRACE_MS;
  const leftMs = killDueMonotonicMs(stop, graceMs) - now.monotonicMs;
  if (leftMs <= 0) {
    const left = pids.length === 0 ? 'its stop command' : countProcesses(pids.length);
    const reason = `${left} still there after ${graceMs} ms of grace`;
    return {
      actions: [{ kind: 'kill', reason }],
      requeueAfterMs: STUCK_AFTER_MS,
      conditions: [stopping],
    };
  }
  if (stop.askedAtMonotonicMs === null && pids.length > 0) return beginStop(situation, stop.reason);
  const lookMs = observation.stopCommandRuns ? Math.min(leftMs, STOP_COMMAND_LOOK_MS) : leftMs;
  return { actions: [], requeueAfterMs: lookMs, conditions: [stopping] };
}

function continueKill(
  killedAtMs: number,
  stopping: Condition,
  pids: readonly number[],
  nowMs: number,
): Plan {
  const sinceMs = nowMs - killedAtMs;
  if (sinceMs < STUCK_AFTER_MS) {
    return { actions: [], requeueAfterMs: STUCK_AFTER_MS - sinceMs, conditions: [stopping] };
  }
  const stuck: Condition = {
    type: 'StopStuck',
    message: `killed, but the kernel has not let go of ${pids.join(', ') || 'its stop command'}; it is tried again`,
  };
  const again: Action = { kind: 'kill', reason: 'the kernel has not let go' };
  const due = sinceMs >= KILL_AGAIN_MS;
  return {
    actions: due ? [again] : [],
    requeueAfterMs: due ? KILL_AGAIN_MS : KILL_AGAIN_MS - sinceMs,
    conditions: [stopping, stuck],
  };
}

/** Nothing runs and nothing is about to. */
export function planDown(situation: Situation): Plan {
  switch (situation.wanted.kind) {
    case 'remove':
      return {
        actions: [...tidyUp(situation), { kind: 'forget', reason: situation.wanted.reason }],
        requeueAfterMs: null,
        conditions: [],
      };
    case 'stop':
    case 'hold':
      return { actions: tidyUp(situation), requeueAfterMs: null, conditions: [] };
    case 'run':
      return planStart(situation);
  }
}

function planStart(situation: Situation): Plan {
  const { now, desired } = situation;
  const accepted = desired?.accepted;
  if (!accepted) return { actions: tidyUp(situation), requeueAfterMs: null, conditions: [] };
  const verdict = mayStart(situation, accepted);
  if (verdict.kind === 'wait') {
    const waitMs = verdict.untilMonotonicMs - now.monotonicMs;
    return { actions: tidyUp(situation), requeueAfterMs: waitMs, conditions: [verdict.condition] };
  }
  if (verdict.kind === 'stay') {
    return { actions: tidyUp(situation), requeueAfterMs: null, conditions: [verdict.condition] };
  }
  const { isReady, ...provisioning } = planProvisioning(situation, accepted);
  if (!isReady)
    return { ...provisioning, actions: [...tidyUp(situation), ...provisioning.actions] };
  const start = startAction(situation, accepted, verdict.reason);
  const starting: Condition = { type: 'Starting', message: verdict.reason };
  return {
    actions: [start],
    requeueAfterMs: null,
    conditions: [starting, ...provisioning.conditions],
  };
}

/** The next run. */
export function startAction(
  { history, intent }: Situation,
  accepted: AcceptedSpec,
  reason: string,
): Action<'start'> {
  const runNumber = history.lastRunNumber + 1;
  return { kind: 'start', accepted, runNumber, intentId: intent?.id ?? 0, reason };
}

type StartVerdict =
  | { readonly kind: 'start'; readonly reason: string }
  | { readonly kind: 'wait'; readonly untilMonotonicMs: number; readonly condition: Condition }
  | { readonly kind: 'stay'; readonly condition: Condition };

function mayStart(situation: Situation, accepted: AcceptedSpec): StartVerdict {
  const { history, now, intent } = situation;
  if (history.run === null) return { kind: 'start', reason: 'it is enabled' };
  const last = history.runEnd === null ? 'not seen running' : describeExit(history.runEnd.exit);
  if (history.failed) {
    const { maxRestarts, toleranceMs } = accepted.spec.restart;
    const message = `${last}; more than ${maxRestarts} restarts within ${toleranceMs / 1_000} s: no more until pmctl start or a change of its definition`;
    return { kind: 'stay', condition: { type: 'Failed', message } };
  }
  if (history.nextStartMonotonicMs !== null && history.nextStartMonotonicMs > now.monotonicMs) {
    const message = `${last}; restart ${history.consecutiveFailures} of a series`;
    const untilMonotonicMs = history.nextStartMonotonicMs;
    return { kind: 'wait', untilMonotonicMs, condition: { type: 'Backoff', message } };
  }
  if (intent?.want === 'run' && intent.id > history.run.intentId) {
    return { kind: 'start', reason: `requested by ${intent.actor}` };
  }
  if (history.runEnd === null || history.runEnd.stop !== null) {
    return { kind: 'start', reason: 'it is enabled' };
  }
  const { restart, successExitCodes } = accepted.spec;
  const failed = isFailure(history.runEnd.exit, successExitCodes);
  if (failed && history.run.accepted?.restartHash !== accepted.restartHash) {
    return { kind: 'start', reason: `its definition changed after ${last}` };
  }
  const again = failed ? reasonToTryAgain(situation) : null;
  if (again !== null) return { kind: 'start', reason: `${again} after ${last}` };
  if (!wantsRestart(accepted.spec, history.runEnd.exit)) {
    const message = `${last}; restart policy ${restart.policy} leaves it at that; pmctl start runs it again`;
    return { kind: 'stay', condition: { type: failed ? 'Failed' : 'Completed', message } };
  }
  return { kind: 'start', reason: `restarted after ${last}` };
}

function tidyUp({ observation }: Situation): readonly Action[] {
  return observation.cgroup.kind === 'empty'
    ? [{ kind: 'remove-cgroup', reason: 'nothing runs in it' }]
    : [];
}

/** The spec whose live fields (grace, stop method) count: the accepted one, else the run's own. */
function specInForce({ desired, history }: Situation): AcceptedSpec | null {
  return desired?.accepted ?? history.run?.accepted ?? null;
}

function countProcesses(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}
