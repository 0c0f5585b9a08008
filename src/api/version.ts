import type { ResultOf } from '../rpc/contract.ts';
import type { ApiPorts } from './ports.ts';

/** Which build the daemon is; answered to clients of any build. */
export function showVersion(ports: ApiPorts): ResultOf<'daemon.version'> {
  const { pid, startedAtMs, socket } = ports.daemonInfo();
  const uptimeMs = Math.max(Math.round(ports.clock.wallMs() - startedAtMs), 0);
  return { build: ports.build, pid, started_at_ms: startedAtMs, uptime_ms: uptimeMs, socket };
}
