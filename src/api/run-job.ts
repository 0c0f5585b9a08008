import { ProcessmasterError } from '../lib/errors.ts';
import { describeExit, hasActiveRun, type RunEnd } from '../model/history.ts';
import type { Intent } from '../model/intent.ts';
import type { SlotOutcome } from '../model/job-progress.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { LogPosition } from '../rpc/log-rows.ts';
import { statusNamed } from './one-service.ts';
import type { ApiPorts, LogSource, LogStart, RunSummary } from './ports.ts';
import { describeState } from './verdict.ts';
import { waitForVerdict } from './wait.ts';

/** A launch takes milliseconds; on a host that is on its knees, seconds. */
const LAUNCH_TIMEOUT_MS = 60_000;

/**
 * Runs a job now, without shifting its schedule; resolves when the run has begun.
 * @throws ProcessmasterError `not_found`; `conflict` when it is no job, runs already, is disabled (and
 *   not forced), or is stopped meanwhile; `timeout`
 */
export async function runJob(
  ports: ApiPorts,
  { name, force, ...words }: ParamsOf<'jobs.run'>,
  { actor, signal }: CallContext,
): Promise<ResultOf<'jobs.run'>> {
  const before = statusNamed(ports, name);
  const reason = words.reason ?? null;
  refuse(before, force);
  // Before it is asked for: the first line may be written before the answer.
  const positions = await ends(ports, before.name);
  const asked = { want: 'run', forced: force, restart: false, actor, reason, forMs: null } as const;
  const intent = ports.recordIntent(before.name, asked);
  const why = reason === null ? '' : `: ${reason}`;
  ports.emit({
    atMs: ports.clock.wallMs(),
    service: before.name,
    kind: 'operator.run',
    message: `run requested by ${actor}${why}`,
    actor,
    data: { intent: intent.id, forced: force, reason },
  });
  ports.enqueue(before.name);
  const judge = (status: ServiceStatus | null) => judgeBegun(status, intent);
  const options = { timeoutMs: LAUNCH_TIMEOUT_MS, signal };
  const run = await waitForVerdict(ports, before.name, judge, options);
  if (run !== null) return { run, positions };
  const state = describeState(ports.status(before.name));
  throw new ProcessmasterError('timeout', `cannot run '${name}': it has not begun yet: ${state}`);
}

function refuse({ name, desired, history }: ServiceStatus, force: boolean): void {
  const cannot = (why: string) =>
    new ProcessmasterError('conflict', `cannot run '${name}': ${why}`);
  const accepted = desired?.accepted ?? null;
  if (accepted === null) throw cannot('it has no valid definition (pmctl status says why)');
  const { job, enabled } = accepted.spec;
  if (job === null) throw cannot(`it is no job, it has no process.schedule (pmctl start ${name})`);
  if (hasActiveRun(history)) {
    const { number } = history.run;
    throw cannot(`run ${number} of it is there already (pmctl logs ${name}, pmctl stop ${name})`);
  }
  if (enabled || force) return;
  const where = `global.enabled is false in ${accepted.sourceFile}`;
  throw cannot(`${where} (pmctl run --force ${name} runs it all the same)`);
}

/** The number of the run that this request brought, or that another did meanwhile. */
function judgeBegun(status: ServiceStatus | null, intent: Intent): number | null {
  if (status === null) throw overtaken('it is not defined any more', intent);
  const { run } = status.history;
  if (run !== null && run.intentId >= intent.id) return run.number;
  const unready = status.conditions.find(({ type }) => type === 'ProvisioningFailed');
  const isKnown = (status.intent?.id ?? 0) >= intent.id;
  if (isKnown && unready !== undefined) throw overtaken(unready.message, intent);
  const newer = status.intent !== null && status.intent.id > intent.id ? status.intent : null;
  if (newer?.want === 'stop') throw overtaken(`it was stopped by ${newer.actor}`, intent);
  return null;
}

function overtaken(why: string, { id }: Intent): ProcessmasterError {
  return new ProcessmasterError('conflict', `cannot run it: ${why} (request ${id})`);
}

/**
 * What a run has written after these positions, and whether it is over.
 * @throws ProcessmasterError `not_found` for a run that never was
 */
export async function readRunOutput(
  ports: ApiPorts,
  { name, run, positions }: ParamsOf<'jobs.output'>,
): Promise<ResultOf<'jobs.output'>> {
  const status = statusNamed(ports, name);
  // Asked before the output is read: what is written by then is read.
  const end = endOfRun(ports, status, run);
  const options = { untilMs: null, toTheEnd: end !== null };
  const read = outputsOf(ports, status.name).map(async (source, at) => {
    const position = positions[at] ?? (await ports.logStart(source, AT_THE_END));
    return ports.readLog(source, position, options);
  });
  const pieces = await Promise.all(read);
  const [stdout, stderr] = pieces;
  return {
    stdout: stdout?.text ?? '',
    stderr: stderr?.text ?? '',
    positions: pieces.map(({ position }) => position),
    gap: pieces.some(({ gap }) => gap),
    over: end !== null,
    exit: end?.exit ?? null,
    outcome: end?.outcome ?? null,
  };
}

const AT_THE_END: LogStart = { lines: 0, sinceMs: null };

function ends(ports: ApiPorts, name: ServiceName): Promise<readonly LogPosition[]> {
  return Promise.all(outputsOf(ports, name).map((source) => ports.logStart(source, AT_THE_END)));
}

function outputsOf(ports: ApiPorts, name: ServiceName): readonly LogSource[] {
  return ports.logSources(name).filter(({ stream }) => stream !== 'hint');
}

interface KnownEnd {
  readonly exit: NonNullable<ResultOf<'jobs.output'>['exit']>;
  readonly outcome: SlotOutcome | null;
}

function endOfRun(ports: ApiPorts, status: ServiceStatus, run: number): KnownEnd | null {
  const { history, cgroup } = status;
  if (history.run?.number === run) {
    // The cgroup is removed when all that was written is in the files.
    if (history.runEnd === null || cgroup.kind !== 'absent') return null;
    const isLast = history.job?.lastRun?.run === run;
    return {
      exit: exitOf(history.runEnd.exit),
      outcome: (isLast && history.job?.lastRun?.outcome) || null,
    };
  }
  const known = ports.runs(status.name, MOST_RUNS).find((one) => one.run === run);
  if (known === undefined) {
    throw new ProcessmasterError('not_found', `cannot find run ${run} of '${status.name}'`);
  }
  return { exit: exitOf(exitOfSummary(known)), outcome: null };
}

/** A run that is asked about is a recent one. */
const MOST_RUNS = 1_000;

function exitOfSummary({ exit }: RunSummary): RunEnd['exit'] {
  return exit ?? { kind: 'unknown', reason: 'nobody was there to see it' };
}

/** How a run ended, as it is told. */
export function exitOf(exit: RunEnd['exit']): KnownEnd['exit'] {
  return {
    kind: exit.kind,
    code: exit.kind === 'exited' ? exit.code : null,
    signal: exit.kind === 'signaled' ? exit.signal : null,
    message: describeExit(exit),
  };
}
