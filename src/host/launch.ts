import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { splitEnvironment } from './launch-environment.ts';
import { EXEC_CAME_BACK, type LaunchSetup, launchArgv, STAGE_MARK } from './launch-script.ts';
import { readProcess } from './process-info.ts';

export interface LaunchRequest extends LaunchSetup {
  /** `argv[0]` is an absolute path, see findExecutable. */
  readonly argv: readonly [string, ...string[]];
  /** All of it, and nothing else, reaches the command. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  /** An empty regular file, open for writing. The caller closes it, and may do so at once. */
  readonly stageFd: number;
  /** Where that file is. */
  readonly stagePath: string;
}

export interface Launched {
  /** Of the shell that becomes the command. */
  readonly pid: number;
  /** In clock ticks since boot, see ProcessInfo. */
  readonly startTicks: number;
  /** Never rejects. */
  readonly exited: Promise<ExitReport>;
}

export type ExitReport =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: NodeJS.Signals }
  /** The command was never executed. `stage` is what was being done, `message` why it failed. */
  | { readonly kind: 'launch_failed'; readonly stage: string; readonly message: string };

/**
 * Starts a command as a service's process: in its cgroup before its first instruction, in a session
 * of its own, as its user with that user's groups, without any descriptor but 0 (/dev/null), 1 and
 * 2, with exactly the declared environment and every signal at its default.
 * @throws ProcessmasterError `launch_failed` when no process could be made at all; whatever goes
 *   wrong afterwards is in the report.
 */
export function launch(request: LaunchRequest, shell = '/bin/sh'): Launched {
  const { inherited, carriers } = splitEnvironment(request.environment);
  if (!request.argv[0].startsWith('/')) {
    const message = `cannot start '${request.argv[0]}': it is not an absolute path`;
    throw new ProcessmasterError('launch_failed', message, { stage: 'exec' });
  }
  const argv = launchArgv(request, carriers, shell);
  const child = spawnChild(argv, inherited, request);
  if (child.pid === undefined) {
    // Node tells the errno later, by an event that must have a listener.
    child.on('error', () => {});
    throw spawnFailure(request, 'no process could be made (out of processes or descriptors?)');
  }
  const { pid } = child;
  // Node keeps the argv, script and all, for as long as the child lives.
  Reflect.set(child, 'spawnargs', []);
  // Until this turn of the loop is over it is at least a zombie, so it can be read.
  const startTicks = readProcess(pid)?.startTicks ?? 0;
  return { pid, startTicks, exited: reportOf(child, request.stagePath) };
}

function spawnChild(
  [file, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  request: LaunchRequest,
): ChildProcess {
  const { stdoutFd, stderrFd, stageFd } = request;
  try {
    return spawn(file, args, {
      cwd: '/',
      env,
      detached: true,
      stdio: ['ignore', stdoutFd, stderrFd, stageFd],
    });
  } catch (error) {
    throw spawnFailure(request, messageOf(error), error);
  }
}

function spawnFailure(request: LaunchRequest, why: string, cause?: unknown): ProcessmasterError {
  const message = `cannot start '${request.argv[0]}': ${why}`;
  return new ProcessmasterError('launch_failed', message, { stage: 'spawn', cause });
}

function reportOf(child: ChildProcess, stagePath: string): Promise<ExitReport> {
  return new Promise((resolve) => {
    child.on('error', () => {});
    child.on('exit', (code, signal) => {
      const end = signal === null ? `it ended with code ${code ?? 0}` : `it was ended by ${signal}`;
      const failure = failureAt(stagePath, end);
      if (failure !== null) resolve(failure);
      else if (signal !== null) resolve({ kind: 'signaled', signal });
      else resolve({ kind: 'exited', code: code ?? 0 });
    });
  });
}

/**
 * Null when the stage file ends with the mark of exec: then it was the command that ended, and
 * whatever its code is, it is the command's own. So, too, when the file cannot be read any more.
 */
function failureAt(stagePath: string, end: string): ExitReport | null {
  const said = readStages(stagePath);
  if (said === null) return null;
  const lines = said.split('\n').filter((line) => line !== '');
  const at = lines.findLastIndex((line) => line.startsWith(STAGE_MARK));
  const stage = lines[at]?.slice(STAGE_MARK.length) ?? 'spawn';
  const words = lines.slice(at + 1);
  if (stage === 'exec' && words.length === 0) return null;
  const why = words.filter((line) => line !== EXEC_CAME_BACK).map(withoutShellPrefix);
  return { kind: 'launch_failed', stage, message: why.join('; ') || end };
}

function readStages(stagePath: string): string | null {
  try {
    return readFileSync(stagePath, 'utf8');
  } catch {
    return null;
  }
}

/** `sh: 3: ` of dash, `sh: line 3: ` of bash. */
function withoutShellPrefix(line: string): string {
  return line.replace(/^\S*sh: (?:line )?\d+: /, '');
}
