import { spawn } from 'node:child_process';
import { ProcessmasterError } from '../lib/errors.ts';

/** Far more than the largest sensible file takes on a busy host. */
const LONGEST_MS = 15 * 60_000;
/**
 * With a session of its own it is a scheduling group of its own, too, where the kernel has these
 * (sched(7), autogroup): then nice(1) alone would only count within that group.
 */
const SCRIPT = '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec nice -n 19 gzip -c';
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * Compresses all of one descriptor into another in a process of the lowest priority: neither our
 * memory nor our loop is in it, and services go first. The caller keeps and closes both descriptors.
 * @throws ProcessmasterError `io` when gzip(1) is not there, fails, or is ended by `signal`
 */
export function gzip(source: number, target: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new ProcessmasterError('io', `cannot compress: ${why}`, { cause }));
    if (signal.aborted) return fail('it was called off');
    const child = spawn('/bin/sh', ['-c', SCRIPT], {
      cwd: '/',
      detached: true,
      env: ENVIRONMENT,
      stdio: [source, target, 'ignore'],
    });
    const end = () => child.kill('SIGKILL');
    const timer = setTimeout(end, LONGEST_MS);
    signal.addEventListener('abort', end, { once: true });
    child.once('error', (error) => fail('no process could be made', error));
    child.once('exit', (code, killedBy) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (code === 0) resolve();
      else fail(code === null ? `gzip was ended by ${killedBy}` : `gzip ended with code ${code}`);
    });
  });
}
