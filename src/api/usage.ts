import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { ApiPorts } from './ports.ts';
import { select } from './select.ts';

/**
 * What services use now, in the order of the status; all when none is named.
 * @throws ProcessmasterError `not_found` for a name or pattern that means nothing
 */
export function showUsage(ports: ApiPorts, { names }: ParamsOf<'usage'>): ResultOf<'usage'> {
  const statuses = ports.statuses();
  const meant = names.length === 0 ? statuses : select(statuses, names).map(({ status }) => status);
  const services = meant.flatMap(({ name, history }) => {
    const used = ports.usage(name);
    return used === null ? [] : [{ application: name, run: history.run?.number ?? null, ...used }];
  });
  return { services };
}
