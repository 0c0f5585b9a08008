import type { Instant } from '../../src/lib/clock.ts';
import type { EnvironmentDigest, EnvironmentReading } from '../../src/model/environment-reading.ts';
import {
  EMPTY_HISTORY,
  type Exit,
  type History,
  type Run,
  type RunEnd,
  type StopProgress,
} from '../../src/model/history.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { JobProgress, SlotRecord } from '../../src/model/job-progress.ts';
import type { CgroupObservation, Observation } from '../../src/model/observation.ts';
import { UNLIMITED } from '../../src/model/resources.ts';
import { accepted, LOG_SETTINGS } from './specs.ts';

/** `ms` after a fixed moment: both clocks agree on the distance. */
export function at(ms: number): Instant {
  return { wallMs: 1_768_478_400_000 + ms, monotonicMs: 1_000_000 + ms };
}

export function observed(cgroup: CgroupObservation, rest: Partial<Observation> = {}): Observation {
  return {
    cgroup,
    launcherAlive: false,
    stopCommandRuns: false,
    leader: null,
    provisioning: 'none',
    logsCaptured: true,
    limits: { resources: UNLIMITED, refused: [] },
    logSettings: LOG_SETTINGS,
    ...rest,
  };
}

export const absent = observed({ kind: 'absent' });
export const empty = observed({ kind: 'empty' });
export const unreadable = observed({ kind: 'unknown', reason: 'Input/output error (EIO)' });
export const running = (...pids: number[]) =>
  observed({ kind: 'populated', pids }, { launcherAlive: true });

export function run(changes: Partial<Run> = {}): Run {
  return {
    number: 1,
    launchedAt: at(0),
    accepted: accepted(),
    intentId: 0,
    reason: 'it is enabled',
    ...changes,
  };
}

/** The history of a service whose run goes on. */
export function activeHistory(changes: Partial<History> = {}): History {
  return {
    ...EMPTY_HISTORY,
    lastRunNumber: 1,
    run: run(),
    main: { pid: 100, startTicks: 1 },
    mainIsLaunched: true,
    clearedByGeneration: 1,
    ...changes,
  };
}

/** The history of a service whose run ended by itself. */
export function endedHistory(exit: Exit, changes: Partial<History> = {}): History {
  const runEnd: RunEnd = { at: at(1_000), exit, stop: null };
  return activeHistory({ launchedExit: exit, launchedExitAt: at(1_000), runEnd, ...changes });
}

export const exited = (code: number): Exit => ({ kind: 'exited', code });

export function intent(changes: Partial<Intent> = {}): Intent {
  return {
    id: 1,
    want: 'run',
    forced: false,
    restart: false,
    actor: 'local',
    requestedAtMs: at(0).wallMs,
    reason: null,
    until: null,
    ...changes,
  };
}

/** A stop under way, its processes asked at once. */
export function stopProgress(changes: Partial<StopProgress> = {}): StopProgress {
  const requestedAt = changes.requestedAt ?? at(10_000);
  return {
    requestedAt,
    reason: 'stopped by local',
    processes: 1,
    askedAtMonotonicMs: requestedAt.monotonicMs,
    commandFailed: false,
    killedAtMonotonicMs: null,
    killed: 0,
    ...changes,
  };
}

/** What a file that an environment is made from said: `content` stands for its hash. */
export function digest(content: string, keyId = 'key'): EnvironmentDigest {
  const source = { path: 'process.environment[TOKEN]', reference: '@file:///run/token' };
  return { keyId, sources: [{ ...source, mac: content }] };
}

/** That of the first generation, as it was read last. */
export function readingOf(
  content: string,
  { keyId = 'key', waits = false, restartHash = 'hash-1' } = {},
): EnvironmentReading {
  return { kind: 'read', restartHash, digest: digest(content, keyId), waits };
}

export const unreadableEnvironment: EnvironmentReading = {
  kind: 'unreadable',
  restartHash: 'hash-1',
  reason: 'cannot make the environment: gone',
};

/** A slot that is being run, its first try. */
export function slot(changes: Partial<SlotRecord> = {}): SlotRecord {
  const slotMs = changes.slotMs ?? at(0).wallMs;
  const run = { run: 1, tries: 1 };
  return { slotMs, lastSlotMs: slotMs, slots: 1, outcome: null, reason: null, ...run, ...changes };
}

/** How far a job is that waits for its next slot, an hour after the fixed moment. */
export function progress(changes: Partial<JobProgress> = {}): JobProgress {
  return {
    schedule: { cron: '0 * * * *', timezone: 'UTC' },
    doneUntilMs: at(0).wallMs,
    nextSlotMs: at(3_600_000).wallMs,
    heldUntilMonotonicMs: null,
    current: null,
    retryAtMonotonicMs: null,
    last: null,
    lastRun: null,
    lastSuccessAtMs: null,
    sinceMs: at(0).wallMs,
    isOverdue: false,
    overtimeRun: null,
    servedIntentId: 0,
    ...changes,
  };
}
