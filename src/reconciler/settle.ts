import type { Instant } from '../lib/clock.ts';
import type { DesiredService } from '../model/desired.ts';
import type { EnvironmentReading } from '../model/environment-reading.ts';
import { type Exit, type History, hasActiveRun, type Run, type RunEnd } from '../model/history.ts';
import type { Intent } from '../model/intent.ts';
import type { Observation } from '../model/observation.ts';
import type { OutOfMemory } from '../model/out-of-memory.ts';
import { isOfRun, reasonToTryAgain } from './changed-content.ts';
import { backoffDelayMs, grantRestart, wantsRestart } from './restart-budget.ts';
import { settleJob } from './settle-job.ts';

export interface SettleInput {
  readonly desired: DesiredService | null;
  readonly intent: Intent | null;
  readonly observation: Observation;
  readonly environment: EnvironmentReading | null;
  readonly history: History;
}

/** After a double fork the leader shows itself at once; later "leaders" are only survivors. */
const LEADER_SETTLES_MS = 2_000;

/**
 * Brings the history up to what is observed, before anything is decided: counters cleared by an
 * operator or a new spec, a run that is over, a main process that went into the background.
 *
 * Pure: `random` (in [0, 1)) is the jitter of the backoff. Returns the same object when nothing
 * changed, so "did something happen" is `!==`.
 */
export function settle(input: SettleInput, now: Instant, random: number): History {
  const live = adoptLiveSpec(input.history, input.desired);
  const known = adoptDigest({ ...input, history: live });
  const counted = clearCounters({ ...input, history: known });
  const cleared = settleProvisioning(counted, input, random);
  const settled = settleRun(cleared, input, now, random);
  return settleJob(cleared, settled, input.desired, input.intent, now);
}

function settleRun(cleared: History, input: SettleInput, now: Instant, random: number): History {
  switch (input.observation.cgroup.kind) {
    case 'unknown':
      return cleared;
    case 'populated':
      return settleRunning(cleared, input.observation, now);
    case 'empty':
    case 'absent':
      return settleEmpty(cleared, input, now, random);
  }
}

/**
 * What a run was started with is not known when the daemon was killed before it wrote that down, or
 * when the key was lost. What the files say now is taken for it: nothing is restarted for not knowing.
 */
function adoptDigest(input: SettleInput): History {
  const { history, environment } = input;
  if (environment?.kind !== 'read' || !hasActiveRun(history) || !isOfRun(input)) return history;
  const { run } = history;
  if (run.environmentDigest?.keyId === environment.digest.keyId) return history;
  return { ...history, run: { ...run, environmentDigest: environment.digest } };
}

/**
 * An operator's start, an accepted change of the spec and a change of what its environment is made
 * from each give the service a clean slate, once.
 */
function clearCounters(input: SettleInput): History {
  const { history, desired, intent } = input;
  if (history.failed && reasonToTryAgain(input) !== null) return { ...history, ...CLEAN_SLATE };
  const generation = desired?.accepted?.generation ?? history.clearedByGeneration;
  const intentId = intent?.want === 'run' ? intent.id : history.clearedByIntentId;
  if (generation === history.clearedByGeneration && intentId <= history.clearedByIntentId) {
    return history;
  }
  return {
    ...history,
    ...CLEAN_SLATE,
    clearedByGeneration: generation,
    clearedByIntentId: Math.max(intentId, history.clearedByIntentId),
  };
}

const CLEAN_SLATE = {
  consecutiveFailures: 0,
  restartsMonotonicMs: [],
  nextStartMonotonicMs: null,
  failed: false,
} as const;

/** A failure is over when the marker is there; until then it waits like a failed start. */
function settleProvisioning(history: History, input: SettleInput, random: number): History {
  const failure = history.provisioning ?? null;
  if (failure === null) return history;
  const { provisioning } = input.observation;
  if (provisioning !== 'due' && provisioning !== 'running') {
    return { ...history, provisioning: null };
  }
  const restart = input.desired?.accepted?.spec.restart;
  if (failure.nextTryMonotonicMs !== null || restart === undefined) return history;
  const delayMs = backoffDelayMs(restart, failure.failures, random);
  const nextTryMonotonicMs = failure.at.monotonicMs + delayMs;
  return { ...history, provisioning: { ...failure, nextTryMonotonicMs } };
}

function settleRunning(history: History, observation: Observation, now: Instant): History {
  if (!hasActiveRun(history)) return { ...history, ...unrecordedRun(history, now) };
  const seen = noteOutOfMemory(noteOutlived(history), observation);
  const followed = leaderAfterFork(seen, observation, now);
  return followed === null ? seen : { ...seen, main: followed, mainIsLaunched: false };
}

function noteOutOfMemory(history: History, { outOfMemory }: Observation): History {
  if (outOfMemory === undefined || !hasActiveRun(history)) return history;
  return { ...history, run: { ...history.run, outOfMemory } };
}

function noteOutlived(history: History): History {
  if (history.launchedExit === null || history.mainOutlived) return history;
  return { ...history, mainOutlived: true };
}

/** A change of live fields is in force for the run: it is what the next daemon must go on from. */
function adoptLiveSpec(history: History, desired: DesiredService | null): History {
  const { run } = history;
  const accepted = desired?.accepted ?? null;
  if (run === null || run.accepted === null || accepted === null) return history;
  const isLiveChange =
    accepted.generation !== run.accepted.generation &&
    accepted.restartHash === run.accepted.restartHash;
  return isLiveChange ? { ...history, run: { ...run, accepted } } : history;
}

/** Something runs in the cgroup that no record tells of: it is ours to stop, not to restart. */
function unrecordedRun(history: History, now: Instant): Partial<History> {
  const run: Run = {
    number: history.lastRunNumber + 1,
    launchedAt: now,
    accepted: null,
    intentId: history.run?.intentId ?? 0,
    reason: 'found running without a record',
  };
  return {
    lastRunNumber: run.number,
    run,
    runEnd: null,
    previousEnd: history.runEnd,
    main: null,
    mainIsLaunched: false,
    launchedExit: null,
    launchedExitAt: null,
    mainOutlived: false,
    stop: null,
  };
}

/** The main process of a service that put itself into the background (systemd guesses alike). */
function leaderAfterFork(history: History, { leader }: Observation, now: Instant) {
  const { mainIsLaunched, launchedExit, launchedExitAt } = history;
  // What a job leaves behind is part of its run, and its exit status is the one that counts.
  if (history.run?.accepted?.spec.job) return null;
  if (!mainIsLaunched || launchedExit?.kind !== 'exited' || launchedExit.code !== 0) return null;
  if (launchedExitAt === null) return null;
  const sinceMs = now.monotonicMs - launchedExitAt.monotonicMs;
  return sinceMs <= LEADER_SETTLES_MS ? leader : null;
}

function settleEmpty(before: History, input: SettleInput, now: Instant, random: number): History {
  const history = noteOutOfMemory(before, input.observation);
  if (!hasActiveRun(history) || input.observation.launcherAlive) return history;
  // A stop command that outlived the service must not meet the next run.
  if (history.stop !== null && input.observation.stopCommandRuns) return history;
  const exit = exitOfRun(history);
  const at = endOfRun(history, now);
  const ended: History = {
    ...history,
    runEnd: { at, exit, stop: history.stop, ...usageOf(input.observation) },
    stop: null,
    nextStartMonotonicMs: null,
  };
  const spec = input.desired?.accepted?.spec ?? history.run.accepted?.spec;
  // A job is started again by its next slot.
  if (history.stop !== null || spec === undefined || spec.job !== null) return ended;
  if (!wantsRestart(spec, exit)) return ended;
  const ranMs = at.monotonicMs - history.run.launchedAt.monotonicMs;
  return { ...ended, ...grantRestart(history, spec.restart, ranMs, now.monotonicMs, random) };
}

function usageOf({ usage }: Observation): Pick<RunEnd, 'usage'> {
  return usage === undefined ? {} : { usage };
}

/** The keeper knows when the launched process ended, also when nobody was there to see the rest. */
function endOfRun({ launchedExitAt, mainOutlived }: History, now: Instant): Instant {
  return launchedExitAt === null || mainOutlived ? now : launchedExitAt;
}

function exitOfRun(history: History): Exit {
  if (history.launchedExit === null) {
    return { kind: 'unknown', reason: 'nobody was there to see it' };
  }
  const wentToBackground = !history.mainIsLaunched && history.launchedExit.kind === 'exited';
  return wentToBackground
    ? { kind: 'unknown', reason: 'the main process had put itself into the background' }
    : withReason(history.launchedExit, history.run?.outOfMemory);
}

/** A SIGKILL of a run that memory ran out for is told by its reason. */
function withReason(exit: Exit, outOfMemory: OutOfMemory | undefined): Exit {
  const isKilled = exit.kind === 'signaled' && exit.signal === 'SIGKILL';
  return isKilled && outOfMemory !== undefined ? { ...exit, outOfMemory } : exit;
}
