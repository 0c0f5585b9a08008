/** Launches a command in a cgroup of the test's own, with defaults for all that is not wished for. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Identity, resolveIdentity } from '../../src/host/identity.ts';
import { type ExitReport, type LaunchRequest, launch } from '../../src/host/launch.ts';
import { scratchCgroup, scratchFolder } from './rig.ts';

export const ROOT = await resolveIdentity(null, null);
export const WWW = await resolveIdentity('www-data', null);
export const GROUPS: Identity = { ...WWW, groups: [5, WWW.gid, 20000] };

export interface Run {
  readonly report: ExitReport;
  readonly output: string;
  readonly pid: number;
}

export type Wish = Partial<LaunchRequest> & Pick<LaunchRequest, 'argv'>;

export function begin(wish: Wish, shell?: string) {
  const folder = scratchFolder();
  const cgroup = wish.cgroup ?? scratchCgroup();
  const [outputPath, stagePath] = [join(folder, 'output'), join(folder, 'stage')];
  const fd = openSync(outputPath, 'w');
  const stageFd = openSync(stagePath, 'w', 0o600);
  try {
    const launched = launch(
      {
        cgroup,
        cwd: '/',
        environment: {},
        identity: ROOT,
        umask: 0o022,
        nice: 0,
        oomScoreAdjust: null,
        limits: [],
        noNewPrivileges: false,
        ambientCapabilities: [],
        stdoutFd: fd,
        stderrFd: fd,
        stageFd,
        stagePath,
        ...wish,
      },
      shell,
    );
    return { ...launched, outputPath, cgroup };
  } finally {
    closeSync(fd);
    closeSync(stageFd);
  }
}

export async function run(wish: Wish, shell?: string): Promise<Run> {
  const { exited, pid, outputPath } = begin(wish, shell);
  const report = await exited;
  return { report, pid, output: readFileSync(outputPath, 'utf8') };
}

/** What a shell script prints that is the command. */
export async function say(script: string, wish: Partial<LaunchRequest> = {}): Promise<string> {
  const { report, output } = await run({ ...wish, argv: ['/bin/sh', '-c', script] });
  expect(report).toEqual({ kind: 'exited', code: 0 });
  return output.trimEnd();
}

/** What the kernel says that the command is: /proc/<pid>/status. */
export async function statusOf(
  wish: Partial<LaunchRequest>,
): Promise<(key: string) => string | undefined> {
  const { report, output } = await run({ ...wish, argv: ['/bin/cat', '/proc/self/status'] });
  expect(report).toEqual({ kind: 'exited', code: 0 });
  return (key) =>
    new RegExp(`^${key}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(output)?.[1]?.replaceAll('\t', ' ');
}

export async function failureOf(wish: Wish, shell?: string) {
  const { report, output } = await run(wish, shell);
  if (report.kind !== 'launch_failed')
    throw new Error(`it did not fail: ${JSON.stringify(report)}`);
  return { ...report, output };
}
