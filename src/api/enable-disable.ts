import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { type DesiredService, formatProblem, type Trouble } from '../model/desired.ts';
import type { Actor, Intent } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import { judgeEnabled } from './judge-enabled.ts';
import type { ApiPorts, FileEdit } from './ports.ts';
import { select } from './select.ts';
import { defaultTimeoutMs, timedOut } from './start-stop.ts';
import { type Verdict, verdict } from './verdict.ts';
import { waitForVerdict } from './wait.ts';

type Params = ParamsOf<'services.enable'>;
type Outcomes = ResultOf<'services.enable'>;

/** A definition that says by now what it should, and what that took. */
interface Edited {
  readonly kind: 'edited';
  readonly file: string;
  readonly edit: FileEdit;
  /** What an operator had asked for and the edit takes back: a stop, or a start by force. */
  readonly lifted: Intent | null;
}

interface NotEdited {
  readonly kind: 'not-edited';
  readonly verdict: Verdict;
}

/** Writes `enabled: true` into the definitions, takes back stops, and waits until services run. */
export function enableServices(
  ports: ApiPorts,
  params: Params,
  context: CallContext,
): Promise<Outcomes> {
  return setEnabled(ports, true, params, context);
}

/** Writes `enabled: false` into the definitions, takes back starts by force, and waits for the stop. */
export function disableServices(
  ports: ApiPorts,
  params: Params,
  context: CallContext,
): Promise<Outcomes> {
  return setEnabled(ports, false, params, context);
}

/**
 * The sources are read before, so that what is edited is what is on disk, and after, so that it is in
 * force at once. Nothing is edited when one of the names is unknown.
 */
async function setEnabled(
  ports: ApiPorts,
  enabled: boolean,
  params: Params,
  context: CallContext,
): Promise<Outcomes> {
  await ports.updateSources({ prune: false, only: [] });
  const befores = select(ports.statuses(), params.names).map(({ status }) => status);
  const edits = befores.map((before) => ({
    before,
    edited: editOne(ports, before.name, enabled, params.reason ?? null, context.actor),
  }));
  const only = edits.flatMap(({ before, edited }) => (edited.kind === 'edited' ? before.name : []));
  if (only.length > 0) await ports.updateSources({ prune: false, only });
  const services = await Promise.all(
    edits.map(async ({ before, edited }) => ({
      name: before.name,
      ...(edited.kind === 'edited'
        ? await follow(ports, enabled, before, edited, params, context)
        : edited.verdict),
    })),
  );
  return { services };
}

function editOne(
  ports: ApiPorts,
  name: ServiceName,
  enabled: boolean,
  reason: string | null,
  actor: Actor,
): Edited | NotEdited {
  const desired = ports.desired(name);
  const accepted = desired?.accepted ?? null;
  const refusal = refusalOf(desired);
  if (refusal !== null || accepted === null) {
    return { kind: 'not-edited', verdict: verdict('refused', refusal ?? NOT_DEFINED) };
  }
  try {
    const edited = write(ports, accepted, enabled);
    report(ports, name, enabled, edited, reason, actor);
    return edited;
  } catch (error) {
    if (!(error instanceof ProcessmasterError)) throw error;
    return { kind: 'not-edited', verdict: verdict('failed', messageOf(error)) };
  }
}

function write(ports: ApiPorts, accepted: AcceptedSpec, enabled: boolean): Edited {
  const edit = ports.setEnabled(accepted, enabled);
  // Only when the file says so: else the service would do what nobody asked for.
  const lifted = ports.liftIntent(accepted.spec.name, (intent) =>
    enabled ? intent.want === 'stop' : intent.want === 'run' && intent.forced,
  );
  return { kind: 'edited', file: accepted.sourceFile, edit, lifted };
}

const NOT_DEFINED = 'no definition has that name any more';

/** Why a definition cannot be edited, or `null`. */
function refusalOf(desired: DesiredService | null): string | null {
  if (desired === null) return NOT_DEFINED;
  return desired.trouble === null ? null : describeTrouble(desired.trouble);
}

function describeTrouble(trouble: Trouble): string {
  switch (trouble.kind) {
    case 'invalid':
      return `its definition is invalid, mend it first: ${trouble.problems.map(formatProblem).join('; ')}`;
    case 'conflict':
      return `it is defined more than once, keep one first: ${trouble.files.join(', ')}`;
    case 'held':
      return `its definition is not there: ${trouble.reason}`;
  }
}

function report(
  ports: ApiPorts,
  service: ServiceName,
  enabled: boolean,
  { file, edit, lifted }: Edited,
  reason: string | null,
  actor: Actor,
): void {
  const verb = enabled ? 'enable' : 'disable';
  const what = edit === 'unchanged' ? `${file} says so already` : `${edit} ${file}`;
  const also = lifted === null ? '' : `, ${describeLifted(lifted)} is taken back`;
  const why = reason === null ? '' : `: ${reason}`;
  ports.emit({
    atMs: ports.clock.wallMs(),
    service,
    kind: `operator.${verb}`,
    message: `${verb} requested by ${actor} (${what}${also})${why}`,
    actor,
    data: { file, edit, lifted_intent: lifted?.id ?? null, reason },
  });
}

function describeLifted({ want, actor }: Intent): string {
  return want === 'stop' ? `the stop by ${actor}` : `the start by force by ${actor}`;
}

async function follow(
  ports: ApiPorts,
  enabled: boolean,
  before: ServiceStatus,
  edited: Edited,
  { wait, timeout_ms }: Params,
  { signal }: CallContext,
): Promise<Verdict> {
  const { name } = before;
  const said = `${edited.edit === 'unchanged' ? 'already ' : ''}${enabled ? 'enabled' : 'disabled'} in ${edited.file}`;
  ports.enqueue(name);
  if (!wait) return verdict('requested', said);
  const timeoutMs = timeout_ms ?? defaultTimeoutMs(before);
  const judge = (status: ServiceStatus | null) =>
    judgeEnabled(status, { enabled, before, lifted: edited.lifted, desired: ports.desired(name) });
  const judged =
    (await waitForVerdict(ports, name, judge, { timeoutMs, signal })) ??
    timedOut(ports.status(name), timeoutMs);
  const isChanged = edited.edit !== 'unchanged' && judged.outcome === 'unchanged';
  return {
    ...judged,
    outcome: isChanged ? 'done' : judged.outcome,
    message: `${said}; ${judged.message}`,
  };
}
