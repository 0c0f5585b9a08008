import { ProcessmasterError } from '../lib/errors.ts';
import type { Actuators } from '../model/action.ts';
import { logSettingsOf } from '../model/log-settings.ts';
import type { ActuatorContext } from './context.ts';
import { serviceFiles } from './service-files.ts';
import { captureOrder } from './start.ts';

/** Reads on where an earlier daemon stopped: the service itself has kept its FIFOs open. */
export function captureLogsActuator(context: ActuatorContext): Actuators['capture-logs'] {
  return async (name, { spec, runNumber }) => {
    // Marked before the attempt: FIFOs that are gone are gone, trying again brings nothing back.
    context.launches.captured(name, runNumber, logSettingsOf(spec));
    const order = captureOrder(spec, serviceFiles(context.servicesDirectory, name));
    try {
      await context.keeper.capture(name, runNumber, order);
    } catch (cause) {
      const message = `the output of '${name}' cannot be read until its next start`;
      throw new ProcessmasterError('io', message, { stage: 'capture logs', cause });
    }
    return [];
  };
}
