import type { Instant } from '../lib/clock.ts';
import { wantedOf } from '../model/state.ts';
import { definitionConditions } from './definition-conditions.ts';
import { planService } from './plan-service.ts';
import type { Plan, PlanInput } from './situation.ts';

/** The actions that take a service from what is observed to what is wanted. Pure. */
export function plan(input: PlanInput, now: Instant): Plan {
  const wanted = wantedOf(input.desired, input.intent, input.shuttingDown);
  const planned = planService({ ...input, wanted, now });
  const conditions = [...planned.conditions, ...definitionConditions(input.desired, wanted)];
  return { ...planned, conditions };
}
