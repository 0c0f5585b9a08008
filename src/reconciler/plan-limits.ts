import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '../model/status.ts';
import type { Plan, Situation } from './situation.ts';

/** The limits of what runs: written where they are not those of its definition. Pure. */
export function planLimits({
  desired,
  observation,
}: Situation): Pick<Plan, 'actions' | 'conditions'> {
  const { limits } = observation;
  const resources = desired?.accepted?.spec.resources;
  const conditions = limits === null ? [] : limitConditions(limits);
  if (resources === undefined || isDeepStrictEqual(limits?.resources, resources)) {
    return { actions: [], conditions };
  }
  const reason = limits === null ? 'an earlier daemon wrote them' : 'its definition changed';
  return { actions: [{ kind: 'limit', resources, reason }], conditions };
}

function limitConditions({
  refused,
}: NonNullable<Situation['observation']['limits']>): readonly Condition[] {
  return ([true, false] as const).flatMap((isUnsupported): readonly Condition[] => {
    const reasons = refused
      .filter((limit) => limit.isUnsupported === isUnsupported)
      .map(({ key, reason }) => `${key}: ${reason}`);
    if (reasons.length === 0) return [];
    const type = isUnsupported ? 'LimitsUnsupported' : 'LimitRefused';
    return [{ type, message: `not in force: ${reasons.join('; ')}` }];
  });
}
