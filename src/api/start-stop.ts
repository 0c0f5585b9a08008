import { formatDuration } from '../lib/duration.ts';
import { formatLocalTime } from '../lib/local-time.ts';
import type { ServiceEvent } from '../model/event.ts';
import { type Intent, leftMs } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts, IntentRequest } from './ports.ts';
import { type Selected, select } from './select.ts';
import {
  describeState,
  type Judge,
  judgeRestart,
  judgeStart,
  judgeStop,
  judgeWhenOver,
  type Verdict,
  verdict,
} from './verdict.ts';
import { waitForVerdict } from './wait.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** After the grace period: the kill, and the kernel letting go. */
const BEYOND_GRACE_MS = 10_000;

interface Operation {
  readonly verb: 'start' | 'stop' | 'restart';
  /** Why it is not even asked for, or `null`. */
  readonly refusal: (selected: Selected, force: boolean) => Verdict | null;
  readonly request: (
    status: ServiceStatus,
    force: boolean,
  ) => Pick<IntentRequest, 'want' | 'forced' | 'restart'>;
  readonly judge: Judge;
}

interface OperationParams {
  readonly names: readonly string[];
  readonly force: boolean;
  readonly wait: boolean;
  readonly timeout_ms: number | null;
  readonly reason?: string | undefined;
  readonly for_ms?: number | undefined;
}

const START: Operation = {
  verb: 'start',
  refusal: refuseRun,
  request: (status, force) => ({
    want: 'run',
    forced: force || isForcedOn(status),
    restart: false,
  }),
  judge: judgeStart,
};

const STOP: Operation = {
  verb: 'stop',
  refusal: () => null,
  request: () => ({ want: 'stop', forced: false, restart: false }),
  judge: judgeStop,
};

const RESTART: Operation = {
  verb: 'restart',
  refusal: refuseRun,
  request: (status) => ({ want: 'run', forced: isForcedOn(status), restart: true }),
  judge: judgeRestart,
};

/** Wants services to run; waits until each does or is known not to. */
export function startServices(
  ports: ApiPorts,
  params: ParamsOf<'services.start'>,
  context: CallContext,
): Promise<ResultOf<'services.start'>> {
  return operate(ports, START, params, context);
}

/** Wants services stopped, in any phase; waits until each one's cgroup is empty. */
export function stopServices(
  ports: ApiPorts,
  params: ParamsOf<'services.stop'>,
  context: CallContext,
): Promise<ResultOf<'services.stop'>> {
  return operate(ports, STOP, { ...params, force: false }, context);
}

/** Wants a new run of each service; waits until it is there. */
export function restartServices(
  ports: ApiPorts,
  params: ParamsOf<'services.restart'>,
  context: CallContext,
): Promise<ResultOf<'services.restart'>> {
  return operate(ports, RESTART, { ...params, force: false }, context);
}

/** Nothing is asked of any service when one of the names is unknown. */
async function operate(
  ports: ApiPorts,
  operation: Operation,
  params: OperationParams,
  context: CallContext,
): Promise<ResultOf<'services.start'>> {
  const selected = select(ports.statuses(), params.names);
  const services = await Promise.all(
    selected.map(async (one) => ({
      name: one.status.name,
      ...(await operateOne(ports, operation, one, params, context)),
    })),
  );
  return { services };
}

async function operateOne(
  ports: ApiPorts,
  operation: Operation,
  selected: Selected,
  params: OperationParams,
  { actor, signal }: CallContext,
): Promise<Verdict> {
  const before = selected.status;
  const refusal =
    operation.refusal(selected, params.force) ?? passOverJob(ports, operation, selected);
  if (refusal !== null) return refusal;
  const { reason = null, for_ms: forMs = null } = params;
  const asked = { ...operation.request(before, params.force), actor, reason, forMs };
  const intent = ports.recordIntent(before.name, asked);
  ports.emit(requestEvent(ports.clock.wallMs(), before.name, operation.verb, asked, intent));
  ports.enqueue(before.name);
  if (!params.wait) return withEnd(verdict('requested', `${operation.verb} requested`), intent);
  const timeoutMs = params.timeout_ms ?? defaultTimeoutMs(before);
  const judge = (status: ServiceStatus | null) =>
    operation.judge(status, { intent, before }) ??
    judgeWhenOver(status, { intent, before }, ports.clock.monotonicMs());
  const judged = await waitForVerdict(ports, before.name, judge, { timeoutMs, signal });
  if (judged === null) return timedOut(ports.status(before.name), timeoutMs);
  return leftMs(intent, ports.clock.monotonicMs()) > 0 ? withEnd(judged, intent) : judged;
}

/** Whoever stops something for a while wants to read until when. */
function withEnd(judged: Verdict, { until }: Intent): Verdict {
  if (until === null || !judged.ok) return judged;
  return { ...judged, message: `${judged.message}; until ${formatLocalTime(until.wallMs)}` };
}

function requestEvent(
  atMs: number,
  service: ServiceName,
  verb: Operation['verb'],
  { forced, actor, reason, forMs }: IntentRequest,
  intent: Intent,
): ServiceEvent {
  const how = `${forced ? ' (forced)' : ''}${forMs === null ? '' : ` for ${formatDuration(forMs)}`}`;
  const why = reason === null ? '' : `: ${reason}`;
  return {
    atMs,
    service,
    kind: `operator.${verb}`,
    message: `${verb} requested by ${actor}${how}${why}`,
    actor,
    data: { intent: intent.id, forced, reason, for_ms: forMs },
  };
}

/** `all` and patterns pass over what is disabled; a name means that very service. */
function refuseRun({ status, byName }: Selected, force: boolean): Verdict | null {
  const accepted = status.desired?.accepted ?? null;
  if (accepted === null)
    return verdict('refused', `it has no valid definition: ${describeState(status)}`);
  if (accepted.spec.enabled || force || isForcedOn(status)) return null;
  const why = 'global.enabled is false';
  return byName
    ? verdict(
        'refused',
        `${why} in ${accepted.sourceFile} (pmctl start --force runs it all the same)`,
      )
    : verdict('skipped', `left alone: ${why}`);
}

/** `all` and patterns mean what is to run all the time: a job goes back to its schedule, and no more. */
function passOverJob(ports: ApiPorts, { verb }: Operation, { status, byName }: Selected) {
  if (byName || verb === 'stop' || !status.desired?.accepted?.spec.job) return null;
  const lifted = ports.liftIntent(status.name, ({ want }) => want === 'stop');
  if (lifted === null) return verdict('skipped', 'left alone: it is a job, its schedule starts it');
  ports.enqueue(status.name);
  return verdict('done', 'the stop is lifted: its schedule starts it again');
}

function isForcedOn({ intent }: ServiceStatus): boolean {
  return intent?.want === 'run' && intent.forced;
}

/** How long is waited when nobody says: long enough for the service's own grace. */
export function defaultTimeoutMs({ desired, history }: ServiceStatus): number {
  const spec = desired?.accepted?.spec ?? history.run?.accepted?.spec;
  return Math.max(DEFAULT_TIMEOUT_MS, (spec?.stopGraceMs ?? 0) + BEYOND_GRACE_MS);
}

/** What is so when the time to wait is over. */
export function timedOut(status: ServiceStatus | null, timeoutMs: number): Verdict {
  const now = describeState(status);
  return verdict('timeout', `not done after ${timeoutMs / 1_000} s, and it goes on: ${now}`);
}
