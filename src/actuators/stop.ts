import { killCgroup } from '../host/cgroup.ts';
import { signalCgroup } from '../host/cgroup-signal.ts';
import type { Actuators } from '../model/action.ts';
import type { ActuatorContext } from './context.ts';

/** Asks every process of the cgroup to end, race-free against forks and recycled pids. */
export function signalActuator(context: ActuatorContext): Actuators['signal'] {
  return async (name, { signal }) => {
    await signalCgroup(context.tree.service(name), signal);
    return [];
  };
}

/** Kills the whole cgroup at once, and a stop command that is still at it. */
export function killActuator(context: ActuatorContext): Actuators['kill'] {
  return async (name) => {
    killCgroup(context.tree.service(name));
    killCgroup(context.tree.stopCommand(name));
    return [];
  };
}
