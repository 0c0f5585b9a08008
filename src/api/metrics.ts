import type { ResultOf } from '../rpc/contract.ts';
import type { ApiPorts } from './ports.ts';

/** What the daemon itself uses, and what happened since it began, in numbers. */
export function showMetrics(ports: ApiPorts): ResultOf<'daemon.metrics'> {
  const { cpuUs, residentBytes, openDescriptors, loopDelayMs, events, slots } = ports.ownMetrics();
  return {
    started_at_ms: ports.daemonInfo().startedAtMs,
    cpu_us: cpuUs,
    resident_bytes: residentBytes,
    open_descriptors: openDescriptors,
    loop_delay_ms: loopDelayMs,
    events: events.map(({ service, kind, count }) => ({ application: service, kind, count })),
    slots: slots.map(({ service, outcome, count }) => ({ application: service, outcome, count })),
  };
}
