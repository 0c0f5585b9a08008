import { ProcessmasterError } from '../lib/errors.ts';
import { describeExit } from '../model/history.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { RunRow, SpecField } from '../rpc/description.ts';
import { statusNamed } from './one-service.ts';
import type { ApiPorts, RunSummary } from './ports.ts';
import { specFields } from './spec-fields.ts';
import { showStatus } from './status.ts';
import { isAsWritten } from './why-facts.ts';

const LAST_RUNS = 10;

/**
 * Answers `pmctl describe`: the row of one service, its whole spec in force, its last runs.
 * @throws ProcessmasterError `not_found`, naming near ones
 */
export function describeService(
  ports: ApiPorts,
  { name }: ParamsOf<'services.describe'>,
): ResultOf<'services.describe'> {
  const status = statusNamed(ports, name);
  const { services, warnings } = showStatus(ports, { names: [status.name], detail: true });
  // By name: `all` would mean every service, also where one is called so.
  const service = services.find(({ application }) => application === status.name);
  if (service === undefined) throw gone(status.name);
  const accepted = status.desired?.accepted ?? status.history.run?.accepted ?? null;
  return {
    service,
    spec: accepted && describeSpec(ports, accepted, status),
    runs: ports.runs(status.name, LAST_RUNS).map(runRowOf).toReversed(),
    warnings,
  };
}

/** Only a look at it can let a service go, and both looks are within one turn: a defect says so. */
function gone(name: ServiceName): ProcessmasterError {
  return new ProcessmasterError('not_found', `cannot describe '${name}': it is gone meanwhile`);
}

function describeSpec(
  ports: ApiPorts,
  { spec, sourceFile }: AcceptedSpec,
  status: ServiceStatus,
): readonly SpecField[] {
  const fields = specFields(spec);
  const keys = fields.map(({ key }) => key);
  const lines = isAsWritten(status) ? ports.locate(sourceFile, keys) : new Map<string, number>();
  return fields.map((field) => ({ ...field, line: lines.get(field.key) ?? null }));
}

function runRowOf({ run, startedAtMs, endedAtMs, exit, reason }: RunSummary): RunRow {
  const isOver = startedAtMs !== null && endedAtMs !== null;
  return {
    run,
    started_at_ms: startedAtMs,
    ended_at_ms: endedAtMs,
    duration_ms: isOver ? Math.max(endedAtMs - startedAtMs, 0) : null,
    reason,
    exit: exit && {
      kind: exit.kind,
      code: exit.kind === 'exited' ? exit.code : null,
      signal: exit.kind === 'signaled' ? exit.signal : null,
      message: describeExit(exit),
    },
  };
}
