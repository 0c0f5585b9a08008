import { assertWorkingDirectory, findExecutable } from '../host/executable.ts';
import { type Identity, resolveIdentity } from '../host/identity.ts';
import type { LaunchRequest } from '../host/launch.ts';
import type { ServiceSpec } from '../model/service-spec.ts';
import { serviceEnvironment } from './environment.ts';

/** The part of a launch request that the spec decides. */
export type LaunchAttributes = Omit<
  LaunchRequest,
  'cgroup' | 'stdoutFd' | 'stderrFd' | 'stageFd' | 'stagePath'
>;

/**
 * Turns a spec into what is launched: identity, environment, command. Everything that can be known
 * to fail is found out here, before a process exists.
 *
 * @throws ProcessmasterError `launch_failed`, with the stage that would fail
 */
export async function prepareLaunch(
  spec: ServiceSpec,
  command: readonly [string, ...string[]],
  daemonEnvironment: Readonly<Record<string, string | undefined>>,
): Promise<LaunchAttributes> {
  const identity: Identity = await resolveIdentity(spec.user, spec.group);
  assertWorkingDirectory(spec.workingDirectory, identity);
  const environment = serviceEnvironment(spec, identity, daemonEnvironment);
  const [name, ...rest] = command;
  const executable = findExecutable(name, spec.workingDirectory, environment.PATH ?? '', identity);
  return {
    argv: [executable, ...rest],
    cwd: spec.workingDirectory,
    environment,
    identity,
    umask: spec.umask,
    nice: spec.nice,
    oomScoreAdjust: spec.oomScoreAdjust,
    limits: spec.limits,
    noNewPrivileges: spec.noNewPrivileges,
    ambientCapabilities: spec.ambientCapabilities,
  };
}
