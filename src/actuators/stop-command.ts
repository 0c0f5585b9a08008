import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createCgroup, killCgroup, removeCgroupWithin } from '../host/cgroup.ts';
import { launch } from '../host/launch.ts';
import { openForAppend } from '../host/safe-open.ts';
import type { Action, Actuators } from '../model/action.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ActuatorContext } from './context.ts';
import { type LaunchAttributes, prepareLaunch } from './prepare-launch.ts';
import { serviceFiles } from './service-files.ts';

const LOG_MODE = 0o640;

/**
 * Runs the stop command as the service's user, in its environment, in a cgroup of its own beside
 * the service's: it is not counted as the service.
 */
export function stopCommandActuator(context: ActuatorContext): Actuators['stop-command'] {
  return async (name, action) => {
    const { accepted, argv } = action;
    const { attributes } = await prepareLaunch(accepted, argv, context);
    const cgroup = context.tree.stopCommand(name);
    createCgroup(cgroup);
    const { exited } = await launchStopCommand(context, name, action, attributes);
    context.stopCommands.began(exited);
    void exited.then(async (exit) => {
      await removeStopCgroup(context, name);
      context.onStopCommandEnded(name, exit);
    });
    return [];
  };
}

async function launchStopCommand(
  context: ActuatorContext,
  name: ServiceName,
  { accepted: { spec } }: Action<'stop-command'>,
  attributes: LaunchAttributes,
) {
  const { folder } = serviceFiles(context.servicesDirectory, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stagePath = join(folder, 'stop-launch');
  const opened: number[] = [];
  const open = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  try {
    const log = { mode: LOG_MODE, createDirectories: true };
    const stdoutFd = open(openForAppend(spec.logs.stopCommandStdout, log));
    const stderrFd = open(openForAppend(spec.logs.stopCommandStderr, log));
    const stageFd = open(openSync(stagePath, 'w', 0o600));
    const cgroup = context.tree.stopCommand(name);
    return launch({ ...attributes, cgroup, stdoutFd, stderrFd, stageFd, stagePath });
  } catch (error) {
    await removeStopCgroup(context, name);
    throw error;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** A killed process is gone from its cgroup within milliseconds. */
const GONE_WITHIN_MS = 1_000;

/**
 * Ends whatever a stop command left behind; it has had its time when the service is gone. What the
 * kernel does not let go of in time is left to the next removal.
 */
export async function removeStopCgroup(context: ActuatorContext, name: ServiceName): Promise<void> {
  const cgroup = context.tree.stopCommand(name);
  killCgroup(cgroup);
  await removeCgroupWithin(cgroup, GONE_WITHIN_MS);
}
