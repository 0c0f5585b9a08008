import { closeSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { createCgroup, removeCgroup } from '../host/cgroup.ts';
import { openFifoForService } from '../host/fifo.ts';
import { type Launched, launch } from '../host/launch.ts';
import type { Actuators } from '../model/action.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceSpec } from '../model/service-spec.ts';
import type { ActuatorContext } from './context.ts';
import { type LaunchAttributes, prepareLaunch } from './prepare-launch.ts';
import { type ServiceFiles, serviceFiles } from './service-files.ts';

/** Launches the main process in the service's cgroup with both streams captured. */
export function startActuator(context: ActuatorContext): Actuators['start'] {
  return async (name, { accepted, runNumber }) => {
    const { spec } = accepted;
    const attributes = await prepareLaunch(spec, spec.startCommand, context.daemonEnvironment);
    const files = serviceFiles(context.servicesDirectory, name);
    await provideFifos(context, files, attributes);
    const launched = launchCaptured(context, name, spec, files, attributes);
    context.launches.began(name, runNumber);
    context.launches.captured(name, runNumber);
    void launched.exited.then((exit) => {
      context.launches.ended(name, runNumber);
      context.onLaunchedExit(name, runNumber, exit);
    });
    const main = { pid: launched.pid, startTicks: launched.startTicks };
    return [{ kind: 'launched', runNumber, main }];
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

function launchCaptured(
  context: ActuatorContext,
  name: ServiceName,
  spec: ServiceSpec,
  files: ServiceFiles,
  attributes: LaunchAttributes,
): Launched {
  const opened: number[] = [];
  const open = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  const cgroup = context.tree.service(name);
  createCgroup(cgroup);
  try {
    // Our own read-write descriptors come first: a FIFO without a writer reads as ended.
    const stdoutFd = open(openFifoForService(files.stdoutFifo));
    const stderrFd = open(openFifoForService(files.stderrFifo));
    const stageFd = open(openSync(files.stageFile, 'w', 0o600));
    attachCapture(context, name, spec, files);
    return launch({
      ...attributes,
      cgroup,
      stdoutFd,
      stderrFd,
      stageFd,
      stagePath: files.stageFile,
    });
  } catch (error) {
    context.capture.detach(name);
    removeCgroup(cgroup);
    throw error;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** Reads a service's FIFOs into its log files. */
export function attachCapture(
  context: ActuatorContext,
  name: ServiceName,
  spec: ServiceSpec,
  files: ServiceFiles,
): void {
  context.capture.attach(name, {
    stdoutFifo: files.stdoutFifo,
    stderrFifo: files.stderrFifo,
    stdoutPath: spec.logs.stdout,
    stderrPath: spec.logs.stderr,
  });
}
