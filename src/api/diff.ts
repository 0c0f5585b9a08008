import { problemRowOf } from '../model/desired.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { ApiPorts, LocatedChange } from './ports.ts';
import { brakeRowOf } from './update.ts';

type ChangeRow = ResultOf<'sources.diff'>['changes'][number];

/** What an update would do, or putting these files in place; nothing is done. */
export async function showDiff(
  ports: ApiPorts,
  params: ParamsOf<'sources.diff'>,
): Promise<ResultOf<'sources.diff'>> {
  const { changes, unchanged, problems, conflicts, brakes } = await ports.diffSources(params);
  return {
    changes: changes.map(changeRowOf),
    unchanged,
    problems: problems.map(problemRowOf),
    conflicts,
    brakes: brakes.map(brakeRowOf),
  };
}

function changeRowOf({ generationBefore, generationAfter, ...change }: LocatedChange): ChangeRow {
  return {
    ...change,
    generation_before: generationBefore,
    generation_after: generationAfter,
    fields: change.fields.map(({ keys: _, ...field }) => field),
  };
}
