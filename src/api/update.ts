import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts } from './ports.ts';

/** Reads every source now; with `prune`, lets go of what a brake holds. */
export async function updateSources(
  ports: ApiPorts,
  { prune }: ParamsOf<'sources.update'>,
  { actor }: CallContext,
): Promise<ResultOf<'sources.update'>> {
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
    problems: report.problems.map(({ keyPath, ...problem }) => ({ ...problem, key_path: keyPath })),
    conflicts: report.conflicts,
    brakes: report.brakes.map(({ source, reason, heldNames }) => ({
      source,
      reason,
      held: heldNames,
    })),
  };
}
