import { lstatSync, mkdirSync } from 'node:fs';
import { createCgroup, removeCgroup } from '../host/cgroup.ts';
import type { CaptureOrder } from '../logs/capture.ts';
import type { Actuators } from '../model/action.ts';
import { logSettingsOf } from '../model/log-settings.ts';
import type { ServiceSpec } from '../model/service-spec.ts';
import type { ActuatorContext } from './context.ts';
import { type LaunchAttributes, prepareLaunch } from './prepare-launch.ts';
import { type ServiceFiles, serviceFiles } from './service-files.ts';

/** Has the keeper launch the main process in the service's cgroup with both streams captured. */
export function startActuator(context: ActuatorContext): Actuators['start'] {
  return async (name, { accepted, runNumber }) => {
    const { spec } = accepted;
    const { attributes, digest } = await prepareLaunch(accepted, spec.startCommand, context);
    const files = serviceFiles(context.servicesDirectory, name);
    await provideFifos(context, files, attributes);
    const cgroup = context.tree.service(name);
    // What the kernel counts there would be counted on from the run before.
    removeCgroup(cgroup);
    context.limits.apply(name, cgroup, spec.resources, createCgroup(cgroup));
    context.onCgroupCreated(name);
    // Before it is asked for: the report of a quick end may come with the answer.
    context.launches.began(name, runNumber);
    context.launches.captured(name, runNumber, logSettingsOf(spec));
    try {
      const main = await context.keeper.launch({
        ...attributes,
        name,
        runNumber,
        cgroup,
        stagePath: files.stageFile,
        capture: captureOrder(spec, files),
      });
      const madeFrom = digest === null ? {} : { environmentDigest: digest };
      return [{ kind: 'launched', runNumber, main, ...madeFrom }];
    } catch (error) {
      context.launches.forget(name);
      if (removeCgroup(cgroup)) context.limits.forget(name);
      throw error;
    }
  };
}

/** The FIFOs outlive the run: whoever reads them reads on, whoever wrote last is not mixed in. */
async function provideFifos(
  context: ActuatorContext,
  files: ServiceFiles,
  { identity }: LaunchAttributes,
): Promise<void> {
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  for (const path of [files.stdoutFifo, files.stderrFifo]) {
    if (!isFifoOf(path, identity)) await context.fifos.take(path, identity);
  }
}

/** The owner matters: a service may open its own `/dev/stdout` again. */
function isFifoOf(path: string, { uid, gid }: LaunchAttributes['identity']): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFIFO() === true && stats.uid === uid && stats.gid === gid;
}

/** From where to where a service's output goes, and how it is kept. */
export function captureOrder(spec: ServiceSpec, files: ServiceFiles): CaptureOrder {
  const { logs } = spec;
  return {
    stdoutFifo: files.stdoutFifo,
    stderrFifo: files.stderrFifo,
    stdoutPath: logs.stdout,
    stderrPath: logs.stderr,
    otherPaths: [logs.stopCommandStdout, logs.stopCommandStderr],
    settings: logSettingsOf(spec),
  };
}
