import { assertWorkingDirectory, findExecutable } from '../host/executable.ts';
import { type Identity, resolveIdentity } from '../host/identity.ts';
import type { LaunchRequest } from '../host/launch.ts';
import type { EnvironmentDigest } from '../model/environment-reading.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { ActuatorContext } from './context.ts';
import { serviceEnvironment } from './environment.ts';

/** The part of a launch request that the spec decides. */
export type LaunchAttributes = Omit<
  LaunchRequest,
  'cgroup' | 'stdoutFd' | 'stderrFd' | 'stageFd' | 'stagePath'
>;

interface PreparedLaunch {
  readonly attributes: LaunchAttributes;
  /** What the environment was made from, where that was not the spec alone. */
  readonly digest: EnvironmentDigest | null;
}

/**
 * Turns a spec into what is launched: identity, environment, command. Everything that can be known
 * to fail is found out here, before a process exists.
 *
 * @throws ProcessmasterError `launch_failed`, with the stage that would fail
 */
export async function prepareLaunch(
  accepted: AcceptedSpec,
  command: readonly [string, ...string[]],
  context: Pick<ActuatorContext, 'daemonEnvironment' | 'resolveEnvironment'>,
): Promise<PreparedLaunch> {
  const { spec } = accepted;
  const identity: Identity = await resolveIdentity(spec.user, spec.group);
  assertWorkingDirectory(spec.workingDirectory, identity);
  const { variables, digest } = context.resolveEnvironment(accepted, identity);
  const environment = serviceEnvironment(spec, variables, identity, context.daemonEnvironment);
  const [name, ...rest] = command;
  const executable = findExecutable(name, spec.workingDirectory, environment.PATH ?? '', identity);
  const attributes: LaunchAttributes = {
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
  return { attributes, digest };
}
