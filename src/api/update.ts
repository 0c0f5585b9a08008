import { type Brake, problemRowOf } from '../model/desired.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts } from './ports.ts';

type Report = ResultOf<'sources.update'>;

/** Reads every source now; with `prune`, lets go of what a brake holds. */
export async function updateSources(
  ports: ApiPorts,
  { prune }: ParamsOf<'sources.update'>,
  { actor }: CallContext,
): Promise<Report> {
  ports.emit({
    atMs: ports.clock.wallMs(),
    service: null,
    kind: 'operator.update',
    message: `update requested by ${actor}${prune ? ' (prune)' : ''}`,
    actor,
    data: { prune },
  });
  const report = await ports.updateSources({ prune });
  return {
    accepted: report.accepted,
    changed: report.changed,
    removed: report.removed,
    problems: report.problems.map(problemRowOf),
    conflicts: report.conflicts,
    brakes: report.brakes.map(brakeRowOf),
    contents: report.contents,
  };
}

/** A tripped brake as it is printed. */
export function brakeRowOf({ source, reason, heldNames }: Brake): Report['brakes'][number] {
  return { source, reason, held: heldNames };
}
