import { removeCgroup } from '../host/cgroup.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { Actuators } from '../model/action.ts';
import type { ActuatorContext } from './context.ts';
import { removeStopCgroup } from './stop-command.ts';

/** How long the last words of a service that is down are waited for. */
const DRAIN_MS = 3_000;

/** Removes the service's empty cgroup and everything below it; nobody is left to write logs. */
export function removeCgroupActuator(context: ActuatorContext): Actuators['remove-cgroup'] {
  return async (name) => {
    const cgroup = context.tree.service(name);
    // Before it is gone: where there is no cgroup, all that was written can be read.
    await context.keeper.drain(name, DRAIN_MS);
    if (!removeCgroup(cgroup)) {
      throw new ProcessmasterError(
        'io',
        `cannot remove cgroup '${cgroup}': something is in it again`,
      );
    }
    context.limits.forget(name);
    await removeStopCgroup(context, name);
    context.onCgroupRemoved(name);
    await context.keeper.detach(name);
    return [];
  };
}

/** Removes what the runtime directory holds of a service that is no longer defined. */
export function forgetActuator(context: ActuatorContext): Actuators['forget'] {
  return async (name) => {
    await context.keeper.detach(name);
    context.launches.forget(name);
    context.provisioningJobs.giveUp(name);
    context.removeServiceFolder(name);
    return [];
  };
}
