import type { ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts } from './ports.ts';

/** Replaces the daemon, not its services; the caller looks for the next one by `started_at_ms`. */
export async function restartDaemon(
  ports: ApiPorts,
  { actor }: CallContext,
): Promise<ResultOf<'daemon.restart'>> {
  const { from, to } = await ports.requestRestart(actor);
  return { from, to, started_at_ms: ports.daemonInfo().startedAtMs };
}
