import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ProcessmasterError } from '../lib/errors.ts';
import type { CgroupPath } from './cgroup.ts';

/**
 * Joins the cgroup, then leaves the command to init by ending. Where the kernel shares the CPU among
 * sessions (autogroup, see sched(7)) this one counts for more than each of those it will start, which
 * may be thousands.
 */
const SCRIPT =
  'echo 0 >"$1/cgroup.procs" && shift && { { echo -10 >/proc/self/autogroup; } 2>/dev/null; "$@" </dev/null >/dev/null & }';

/**
 * Starts a program that is nobody's child but init's, in a cgroup and a session of its own, without
 * any descriptor of ours but `stderrFd` (the caller closes it): it outlives this process whatever becomes of it.
 * @throws ProcessmasterError `io` when it cannot be started at all
 */
export async function startDetached(
  argv: readonly [string, ...string[]],
  cgroup: CgroupPath,
  stderrFd: number,
): Promise<void> {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'sh', cgroup, ...argv], {
    cwd: '/',
    // Enough for its launcher; nothing of ours is for it or what it starts.
    env: { PATH: process.env.PATH ?? '', LANG: process.env.LANG ?? 'C.UTF-8' },
    detached: true,
    stdio: ['ignore', 'ignore', stderrFd],
  });
  try {
    const [code] = await once(shell, 'exit');
    if (code === 0) return;
    throw new Error(`sh ended with ${code}`);
  } catch (cause) {
    const message = `cannot start '${argv[0]}': no process could be made`;
    throw new ProcessmasterError('io', message, { cause });
  }
}
