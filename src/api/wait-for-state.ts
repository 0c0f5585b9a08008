import { readInstant } from '../lib/clock.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts } from './ports.ts';
import { select } from './select.ts';
import { waitForVerdict } from './wait.ts';

type State = ParamsOf<'services.wait'>['state'];

/** How long is waited where nobody says. */
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Waits until services are in a state, whoever brings that about; asks nothing of anybody. A service that
 * is removed meanwhile is stopped, and will never run.
 * @throws ProcessmasterError `not_found` for a name or pattern that means nothing
 */
export async function waitForState(
  ports: ApiPorts,
  { names, state, timeout_ms }: ParamsOf<'services.wait'>,
  { signal }: CallContext,
): Promise<ResultOf<'services.wait'>> {
  const startedMs = readInstant(ports.clock).monotonicMs;
  const options = { timeoutMs: timeout_ms ?? DEFAULT_TIMEOUT_MS, signal };
  const waitForOne = async (name: ServiceName) => {
    const isReached = await waitForVerdict(ports, name, (status) => judge(status, state), options);
    const waited_ms = Math.round(readInstant(ports.clock).monotonicMs - startedMs);
    const phase = ports.status(name)?.phase ?? null;
    return { application: name, phase, reached: isReached === true, waited_ms };
  };
  const selected = select(ports.statuses(), names);
  return { services: await Promise.all(selected.map(({ status }) => waitForOne(status.name))) };
}

/** `null`: not yet. */
function judge(status: ServiceStatus | null, state: State): boolean | null {
  if (status === null) return state === 'stopped';
  const isReached =
    state === 'running'
      ? status.phase === 'RUNNING'
      : status.cgroup.kind !== 'populated' && !ON_THE_WAY.includes(status.phase);
  return isReached ? true : null;
}

/** Nothing runs, and that is not the end of it. */
const ON_THE_WAY: readonly ServiceStatus['phase'][] = ['STARTING', 'STOPPING', 'BACKOFF'];
