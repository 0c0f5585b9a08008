/** What became of a request, as far as a service's status tells. Pure. */
import { describeExit, hasActiveRun } from '../model/history.ts';
import { type Intent, leftMs } from '../model/intent.ts';
import type { ConditionType, ServiceStatus } from '../model/status.ts';
import type { Outcome } from '../rpc/contract.ts';

export type Verdict = Omit<Outcome, 'name'>;

/** A request that was recorded, and what was so just before. */
export interface Request {
  readonly intent: Intent;
  readonly before: ServiceStatus;
}

/** `null`: not decided yet. A status that does not know of the request says nothing about it. */
export type Judge = (status: ServiceStatus | null, request: Request) => Verdict | null;

/** More pids than this are counted, not listed. */
const LISTED_PIDS = 8;

/** A start is done when the service runs, whoever started it. */
export const judgeStart: Judge = (status, request) =>
  judgeRun(status, request, (running) => {
    const { history } = request.before;
    return hasActiveRun(history) && running.history.run?.number === history.run.number
      ? verdict('unchanged', `already running: ${describeRun(running)}`)
      : verdict('done', `running: ${describeRun(running)}`);
  });

/** A restart is done when a run that began after the request is there. */
export const judgeRestart: Judge = (status, request) =>
  judgeRun(status, request, (running) => {
    const isNew = (running.history.run?.intentId ?? 0) >= request.intent.id;
    return isNew ? verdict('done', `running: ${describeRun(running)}`) : null;
  });

/** A stop is done when the cgroup is empty, never before. */
export const judgeStop: Judge = (status, { intent, before }) => {
  if (status === null) return verdict('done', 'stopped; it is no longer defined');
  if (!knows(status, intent)) return null;
  if (isSuperseded(status, intent)) return superseded(status);
  const stuck = messageOf(status, 'StopStuck');
  if (stuck !== null) return verdict('failed', stuck);
  if (hasActiveRun(status.history) || !isDown(status)) return null;
  const { run, runEnd } = status.history;
  const wasRunning = hasActiveRun(before.history) || run?.number !== before.history.run?.number;
  if (!wasRunning || runEnd === null) return verdict('unchanged', 'already stopped');
  if (runEnd.stop === null) return verdict('done', `ended by itself: ${describeExit(runEnd.exit)}`);
  const { processes, killed } = runEnd.stop;
  const stop = { processes, killed, ended: Math.max(processes - killed, 0) };
  return { ...verdict('done', `stopped: ${describeStop(stop)}`), stop };
};

/**
 * An intent that has an end may be over before what it asked for was seen: a stop for a second of a
 * service that takes two. What counts then is that the run it was about has ended.
 */
export function judgeWhenOver(
  status: ServiceStatus | null,
  { intent, before }: Request,
  nowMonotonicMs: number,
): Verdict | null {
  if (status === null || status.intent !== null || leftMs(intent, nowMonotonicMs) > 0) return null;
  const { run } = status.history;
  const isStillThere = hasActiveRun(status.history) && run?.number === before.history.run?.number;
  const isOver = `its time is over: ${describeState(status)}`;
  return isStillThere ? null : verdict('done', `stopped, and ${isOver}`);
}

/** Why a service is not (yet) as asked for, in the words of its conditions. */
export function describeState(status: ServiceStatus | null): string {
  if (status === null) return 'it is no longer defined';
  const said = status.conditions.map((condition) => condition.message);
  return [status.phase, ...said].join('; ');
}

export function verdict(outcome: Outcome['outcome'], message: string): Verdict {
  const ok = outcome !== 'failed' && outcome !== 'refused' && outcome !== 'timeout';
  return { ok, outcome, message, stop: null };
}

/** What a start and a restart have in common: every way not to end up running. */
function judgeRun(
  status: ServiceStatus | null,
  { intent }: Request,
  judgeRunning: (running: ServiceStatus) => Verdict | null,
): Verdict | null {
  if (status === null || status.desired === null) return verdict('failed', describeState(null));
  if (!knows(status, intent)) return null;
  if (isSuperseded(status, intent)) return superseded(status);
  switch (status.phase) {
    case 'RUNNING':
      return judgeRunning(status);
    case 'STARTING':
      return null;
    case 'STOPPING': {
      const stuck = messageOf(status, 'StopStuck');
      return stuck === null ? null : verdict('failed', stuck);
    }
    case 'BACKOFF':
    case 'FAILED':
    case 'INVALID':
    case 'DISABLED':
      return verdict('failed', whyNot(status));
    case 'SCHEDULED':
      return judgeEndedRun(status, intent);
    case 'STOPPED': {
      const completed = messageOf(status, 'Completed');
      return completed === null ? null : verdict('done', `ran and ended: ${completed}`);
    }
  }
}

/** A job's run may be over before anybody looked. */
function judgeEndedRun({ history }: ServiceStatus, intent: Intent): Verdict | null {
  const { run, runEnd } = history;
  if (run === null || runEnd === null || run.intentId < intent.id) return null;
  const how = `run ${run.number}: ${describeExit(runEnd.exit)}`;
  return runEnd.exit.kind === 'launch_failed'
    ? verdict('failed', how)
    : verdict('done', `ran and ended: ${how}`);
}

function knows(status: ServiceStatus, intent: Intent): boolean {
  return (status.intent?.id ?? 0) >= intent.id;
}

function isSuperseded(status: ServiceStatus, intent: Intent): boolean {
  return (
    status.intent !== null && status.intent.id > intent.id && status.intent.want !== intent.want
  );
}

function superseded({ intent }: ServiceStatus): Verdict {
  const what = intent?.want === 'stop' ? 'stop' : 'start';
  return verdict('failed', `superseded by a later ${what} (${intent?.actor ?? 'unknown'})`);
}

function isDown({ cgroup, conditions }: ServiceStatus): boolean {
  const isLaunching = conditions.some((condition) => condition.type === 'Starting');
  return !isLaunching && (cgroup.kind === 'empty' || cgroup.kind === 'absent');
}

function messageOf(status: ServiceStatus, type: ConditionType): string | null {
  return status.conditions.find((condition) => condition.type === type)?.message ?? null;
}

function whyNot(status: ServiceStatus): string {
  const telling: readonly ConditionType[] = [
    'Failed',
    'Backoff',
    'ProvisioningFailed',
    'NeverValid',
    'Disabled',
  ];
  const messages = telling.flatMap((type) => messageOf(status, type) ?? []);
  return messages.length === 0 ? describeState(status) : messages.join('; ');
}

function describeRun({ history, cgroup }: ServiceStatus): string {
  const pids = cgroup.kind === 'populated' ? cgroup.pids : [];
  const all = `${pids.length === 1 ? 'pid' : 'pids'} ${pids.join(', ')}`;
  const processes = pids.length <= LISTED_PIDS ? all : countProcesses(pids.length);
  return `run ${history.run?.number ?? 0}, ${processes}`;
}

function describeStop({ ended, killed }: { readonly ended: number; readonly killed: number }) {
  const byThemselves = ended === 1 ? 'by itself' : 'by themselves';
  return `${countProcesses(ended)} ended ${byThemselves}, ${killed} killed`;
}

function countProcesses(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}
