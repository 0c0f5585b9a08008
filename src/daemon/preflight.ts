import { join } from 'node:path';
import { resolveCgroupRoot } from '../host/cgroup-mount.ts';
import { assertExecutable } from '../host/executable.ts';
import { resolveIdentity } from '../host/identity.ts';
import { type BuildInfo, buildInfo } from '../lib/build-info.ts';
import { messageOf } from '../lib/errors.ts';
import type { DaemonConfig } from '../model/daemon-config.ts';
import { formatProblem } from '../model/desired.ts';
import { judgeSocketPath } from '../rpc/unix-socket.ts';
import { readDaemonConfig } from '../sources/daemon-config-file.ts';
import { keeperProgram } from './service-keeper.ts';

/** Which daemon a config file makes: two with the same instance manage the same services. */
export interface InstanceIdentity {
  readonly cgroup: string;
  readonly runtimeDirectory: string;
}

/** What a program says of itself when it could take over. */
export interface Candidate {
  readonly build: BuildInfo;
  readonly instance: InstanceIdentity;
}

export function instanceOf({ cgroup, runtimeDirectory }: DaemonConfig): InstanceIdentity {
  const root = resolveCgroupRoot(cgroup.root, cgroup.name);
  return { cgroup: join(root, cgroup.name), runtimeDirectory };
}

/**
 * `processmaster --preflight`: whether this program could go on in the place of a running daemon.
 * Prints a {@link Candidate} as JSON and returns 0, or says why not and returns 1. Touches nothing.
 */
export async function preflight(configPath: string): Promise<number> {
  const reading = readDaemonConfig(configPath);
  if (reading.kind === 'invalid') {
    return refuse(
      `the master config cannot be used: ${reading.problems.map(formatProblem).join('; ')}`,
    );
  }
  if (process.execve === undefined) {
    return refuse('this Node.js has no process.execve, so it could not be replaced in its turn');
  }
  try {
    const { owner, group, path } = reading.config.socket;
    await resolveIdentity(owner, group);
    judgeSocketPath(path);
    assertExecutable(keeperProgram);
    const candidate: Candidate = { build: buildInfo(), instance: instanceOf(reading.config) };
    process.stdout.write(`${JSON.stringify(candidate)}\n`);
    return 0;
  } catch (error) {
    return refuse(messageOf(error));
  }
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`);
  return 1;
}
