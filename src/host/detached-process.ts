import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ProcessmasterError } from '../lib/errors.ts';
import type { CgroupPath } from './cgroup.ts';

/** Where a detached process is and where its output goes. */
export interface DetachedOptions {
  readonly cgroup: CgroupPath;
  /** Left to the caller to close, both; `null` is nowhere. */
  readonly stdoutFd: number | null;
  readonly stderrFd: number;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it counts for more than a session of a service, see {@link FAVOUR}. */
  readonly isFavoured: boolean;
}

/** Joins the cgroup, then leaves the command to init by ending; tells its pid. */
const JOIN = 'echo 0 >"$1/cgroup.procs" && shift &&';
const leave = (stdout: string) => `{ exec "$@" </dev/null ${stdout} & } && echo $!`;
/** For sh(1): where the kernel shares the CPU among sessions (autogroup, see sched(7)), more for this one. */
const FAVOUR = '{ { echo -10 >/proc/self/autogroup; } 2>/dev/null || :; } &&';

/**
 * Starts a program that is nobody's child but init's, in a cgroup and a session of its own, without
 * any descriptor of ours but those of its output: it outlives this process whatever becomes of it.
 * Gives its pid.
 * @throws ProcessmasterError `io` when it cannot be started at all
 */
export async function startDetached(
  argv: readonly [string, ...string[]],
  { cgroup, stdoutFd, stderrFd, cwd, environment, isFavoured }: DetachedOptions,
): Promise<number> {
  const end = leave(stdoutFd === null ? '>/dev/null' : '>&3 3>&-');
  const script = [JOIN, ...(isFavoured ? [FAVOUR] : []), end].join(' ');
  const shell = spawn('/bin/sh', ['-c', script, 'sh', cgroup, ...argv], {
    cwd,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', stderrFd, ...(stdoutFd === null ? [] : [stdoutFd])],
  });
  let pid = '';
  shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
    pid += text;
  });
  try {
    const [code] = await once(shell, 'close');
    if (code === 0) return Number(pid);
    throw new Error(`sh ended with ${code}`);
  } catch (cause) {
    const message = `cannot start '${argv[0]}': no process could be made`;
    throw new ProcessmasterError('io', message, { cause });
  }
}
