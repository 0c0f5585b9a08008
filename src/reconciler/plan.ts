import type { Instant } from '../lib/clock.ts';
import { type Intent, leftMs } from '../model/intent.ts';
import { wantedOf } from '../model/state.ts';
import { definitionConditions } from './definition-conditions.ts';
import { planJob } from './plan-job.ts';
import { planService } from './plan-service.ts';
import type { Plan, PlanInput } from './situation.ts';

/** The actions that take a service from what is observed to what is wanted. Pure. */
export function plan(input: PlanInput, now: Instant): Plan {
  const wanted = wantedOf(input.desired, input.intent, input.shuttingDown);
  const situation = { ...input, wanted, now };
  const accepted = input.desired?.accepted ?? null;
  const job = accepted?.spec.job ?? null;
  const planned =
    accepted === null || job === null ? planService(situation) : planJob(situation, accepted, job);
  const conditions = [
    ...planned.conditions,
    ...definitionConditions(input.desired, wanted, input.intent, now),
  ];
  const requeueAfterMs = orWhenOver(planned.requeueAfterMs, input.intent, now);
  return { ...planned, requeueAfterMs, conditions };
}

/** An intent that ends is looked at when it does, whatever else there is to wait for. */
function orWhenOver(requeueAfterMs: number | null, intent: Intent | null, now: Instant) {
  if (intent === null || intent.until === null) return requeueAfterMs;
  const overInMs = Math.max(leftMs(intent, now.monotonicMs), 0);
  return requeueAfterMs === null ? overInMs : Math.min(requeueAfterMs, overInMs);
}
