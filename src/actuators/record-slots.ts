import type { Actuators } from '../model/action.ts';
import type { ActuatorContext } from './context.ts';

/** Has slots of a job on the disk before any of them is acted on: a power cut runs none twice. */
export function recordSlotsActuator(context: ActuatorContext): Actuators['record-slots'] {
  return async (name, { slots }) => {
    await context.recordSlots(name, slots);
    return [];
  };
}
