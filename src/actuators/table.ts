import type { Actuators } from '../model/action.ts';
import { captureLogsActuator } from './capture-logs.ts';
import type { ActuatorContext } from './context.ts';
import { limitActuator } from './limit.ts';
import { provisionActuator } from './provision.ts';
import { recordSlotsActuator } from './record-slots.ts';
import { forgetActuator, removeCgroupActuator } from './remove.ts';
import { startActuator } from './start.ts';
import { killActuator, signalActuator } from './stop.ts';
import { stopCommandActuator } from './stop-command.ts';

/** The executors of all actions. */
export function createActuators(context: ActuatorContext): Actuators {
  return {
    provision: provisionActuator(context),
    start: startActuator(context),
    signal: signalActuator(context),
    'stop-command': stopCommandActuator(context),
    kill: killActuator(context),
    limit: limitActuator(context),
    'capture-logs': captureLogsActuator(context),
    'record-slots': recordSlotsActuator(context),
    'remove-cgroup': removeCgroupActuator(context),
    forget: forgetActuator(context),
  };
}
