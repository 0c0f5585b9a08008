import { readInstant } from '../lib/clock.ts';
import { markerPath } from '../model/provisioning.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { StatusRow } from '../rpc/status-row.ts';
import { eventRowOf } from './events.ts';
import type { ApiPorts, ProcessDescription } from './ports.ts';
import { select } from './select.ts';
import { briefRowOf, statusRowOf } from './status-row-of.ts';

/** Events shown with the detail of one service. */
const DETAIL_EVENTS = 10;

/** What is so now. `detail` reads /proc and the journal, everything else is in memory. */
export function showStatus(
  ports: ApiPorts,
  { names, detail }: ParamsOf<'status'>,
): ResultOf<'status'> {
  const statuses = selected(ports, names);
  const now = readInstant(ports.clock);
  const rows = statuses.map((status) => ({
    ...statusRowOf(status, ports.userFlags(status.name), now),
    ...provisioningOf(ports, status),
  }));
  const services = detail ? detailed(ports, rows, statuses, now.wallMs) : rows;
  return { services, warnings: ports.daemonInfo().warnings };
}

/** The same for tables. */
export function showBriefStatus(
  ports: ApiPorts,
  { names }: ParamsOf<'status.brief'>,
): ResultOf<'status.brief'> {
  const now = readInstant(ports.clock);
  const services = selected(ports, names).map((status) =>
    briefRowOf(status, ports.userFlags(status.name), now),
  );
  return { services, warnings: ports.daemonInfo().warnings };
}

/** The marker is read anew: it may be deleted at any time, and nobody is told. */
function provisioningOf(ports: ApiPorts, { desired }: ServiceStatus) {
  const spec = desired?.accepted?.spec;
  if (spec === undefined || spec.provisioning.length === 0) return NO_PROVISIONING;
  const provisioning_marker = markerPath(spec.workingDirectory);
  return {
    provisioning_defined: true,
    provisioning_marker,
    provisioning_marker_exists: ports.hasMarker(provisioning_marker),
  };
}

const NO_PROVISIONING = {
  provisioning_defined: false,
  provisioning_marker: null,
  provisioning_marker_exists: false,
};

function selected(ports: ApiPorts, names: readonly string[]): readonly ServiceStatus[] {
  const all = ports.statuses();
  return names.length === 0 ? all : select(all, names).map(({ status }) => status);
}

function detailed(
  ports: ApiPorts,
  rows: readonly StatusRow[],
  statuses: readonly ServiceStatus[],
  nowMs: number,
): readonly StatusRow[] {
  const described = ports.describeProcesses(rows.flatMap((row) => row.pids));
  const processByPid = new Map(described.map((process) => [process.pid, process]));
  return rows.map((row, index) => {
    const processes = row.pids.flatMap((pid) => describe(processByPid.get(pid), nowMs));
    const uptimeByPid = new Map(processes.map((process) => [process.pid, process.uptime_ms]));
    return {
      ...row,
      pid_uptimes_ms: row.pids.map((pid) => uptimeByPid.get(pid) ?? null),
      detail: { processes, events: lastEvents(ports, statuses[index]?.name) },
    };
  });
}

function describe(process: ProcessDescription | undefined, nowMs: number) {
  if (process === undefined) return [];
  const { pid, startedAtMs, command } = process;
  return [{ pid, uptime_ms: Math.max(Math.round(nowMs - startedAtMs), 0), command }];
}

function lastEvents(ports: ApiPorts, service: ServiceName | undefined) {
  if (service === undefined) return [];
  return ports.events({ service, limit: DETAIL_EVENTS }).map(eventRowOf);
}
