import type { Actuators } from '../model/action.ts';
import type { ActuatorContext } from './context.ts';

/** Changes the limits of what runs. */
export function limitActuator({ tree, limits }: ActuatorContext): Actuators['limit'] {
  return async (name, { resources }) => {
    limits.apply(name, tree.service(name), resources, false);
    return [];
  };
}
