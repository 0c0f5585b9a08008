import { execFile } from 'node:child_process';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';

export interface CommandOptions {
  /** After this many milliseconds it is killed. */
  readonly timeoutMs: number;
  /** What it reads from its standard input; nothing by default. */
  readonly input?: string;
  /** Instead of a plain one that nothing of the daemon's own gets into. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Instead of `/`. */
  readonly cwd?: string;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Nothing of the daemon's own environment decides what runs, or in which language it answers. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };

/**
 * Runs a helper of the system to its end. Any exit code is a result.
 * @throws ProcessmasterError `timeout`, or `io` when it cannot run or says more than 1 MiB.
 */
export function runCommand(
  argv: readonly [string, ...string[]],
  { timeoutMs, input, environment = ENVIRONMENT, cwd = '/' }: CommandOptions,
): Promise<CommandResult> {
  const [file, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      {
        cwd,
        env: { ...environment },
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        timeout: timeoutMs,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number') resolve({ code, stdout, stderr });
        else if (error?.killed === true && code === null) reject(timedOut(argv, timeoutMs));
        else if (code === null) resolve({ code: null, stdout, stderr });
        else reject(notRun(argv, error));
      },
    );
    // It may end without reading everything.
    child.stdin?.on('error', () => {}).end(input ?? '');
  });
}

function timedOut(argv: readonly string[], timeoutMs: number): ProcessmasterError {
  return new ProcessmasterError(
    'timeout',
    `cannot run '${argv.join(' ')}': it did not end within ${timeoutMs} ms`,
  );
}

function notRun(argv: readonly string[], cause: unknown): ProcessmasterError {
  return new ProcessmasterError('io', `cannot run '${argv.join(' ')}': ${messageOf(cause)}`, {
    cause,
  });
}
