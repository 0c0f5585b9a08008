import { ProcessmasterError } from '../lib/errors.ts';
import { nearest } from '../lib/nearest.ts';
import type { Actor } from '../model/intent.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts } from './ports.ts';

type Processes = ResultOf<'admin.ps'>['processes'];

export function listActions(ports: ApiPorts): ResultOf<'admin.list'> {
  return { actions: ports.adminActions.list() };
}

/**
 * Begins an action and records who did. Also what cannot be begun is recorded.
 * @throws ProcessmasterError `not_found`, `conflict` when the daemon is shutting down,
 *   `launch_failed`, `unsafe_path`, `io`
 */
export async function runAction(
  ports: ApiPorts,
  { id, reason }: ParamsOf<'admin.run'>,
  { actor }: CallContext,
): Promise<ResultOf<'admin.run'>> {
  const actions = ports.adminActions.list();
  const action = actions.find((one) => one.id === id);
  if (action === undefined) {
    throw unknownAction(
      id,
      actions.map((one) => one.id),
    );
  }
  if (ports.isShuttingDown()) {
    const message = `cannot run action '${id}': the daemon is shutting down`;
    throw new ProcessmasterError('conflict', message);
  }
  const why = reason === undefined ? '' : `: ${reason}`;
  try {
    const { pid, stdoutPath, stderrPath } = await ports.adminActions.run(action);
    tell(ports, 'admin.run', `action '${id}' begun by ${actor}, pid ${pid}${why}`, actor, {
      ...{ action: id, pid, reason: reason ?? null },
    });
    return { id, pid, stdout_path: stdoutPath, stderr_path: stderrPath };
  } catch (error) {
    if (!(error instanceof ProcessmasterError)) throw error;
    const message = `action '${id}', asked for by ${actor}, did not begin: ${error.message}`;
    tell(ports, 'admin.failed', message, actor, { action: id, reason: reason ?? null });
    const said = `cannot run action '${id}': ${error.message}`;
    throw new ProcessmasterError(error.code, said, { cause: error });
  }
}

export function listActionProcesses(ports: ApiPorts): ResultOf<'admin.ps'> {
  return { processes: describe(ports, ports.adminActions.processes()) };
}

/** Kills all that actions have begun, and records who did. Nothing there is success. */
export async function killActions(
  ports: ApiPorts,
  { reason }: ParamsOf<'admin.kill'>,
  { actor }: CallContext,
): Promise<ResultOf<'admin.kill'>> {
  const processes = describe(ports, ports.adminActions.processes());
  const killed = await ports.adminActions.kill();
  const why = reason === undefined ? '' : `: ${reason}`;
  const message = `${killed.length} processes of actions killed by ${actor}${why}`;
  if (killed.length > 0) {
    const data = { processes: killed.length, reason: reason ?? null };
    tell(ports, 'admin.kill', message, actor, data);
  }
  return { processes: processes.filter(({ pid }) => killed.some((one) => one.pid === pid)) };
}

function describe(
  ports: ApiPorts,
  processes: ReturnType<ApiPorts['adminActions']['processes']>,
): Processes {
  const nowMs = ports.clock.wallMs();
  const actionOf = new Map(processes.map(({ pid, action }) => [pid, action]));
  return ports
    .describeProcesses(processes.map(({ pid }) => pid))
    .map(({ pid, startedAtMs, command }) => ({
      pid,
      action: actionOf.get(pid) ?? null,
      started_at_ms: startedAtMs,
      uptime_ms: Math.max(nowMs - startedAtMs, 0),
      command,
    }));
}

function unknownAction(id: string, known: readonly string[]): ProcessmasterError {
  const near = nearest(id, known);
  const hint =
    known.length === 0
      ? 'the master config has no admin_actions'
      : `no action has that name${near === undefined ? '' : ` (did you mean '${near}'?)`}; there are: ${known.join(', ')}`;
  return new ProcessmasterError('not_found', `cannot find action '${id}': ${hint}`);
}

function tell(
  ports: ApiPorts,
  kind: string,
  message: string,
  actor: Actor,
  data: Readonly<Record<string, string | number | null>>,
): void {
  ports.emit({ atMs: ports.clock.wallMs(), service: null, kind, message, actor, data });
}
