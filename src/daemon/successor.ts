import { resolve } from 'node:path';
import { assertExecutable } from '../host/executable.ts';
import { runCommand } from '../host/run-command.ts';
import type { BuildInfo } from '../lib/build-info.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { Candidate, InstanceIdentity } from './preflight.ts';

/** Set by our launcher: what it was called by, where `argv[1]` is what that led to. */
const STARTED_AS = 'PROCESSMASTER_STARTED_AS';

/** How this daemon was started: the program and its arguments, which are those of the next image. */
export interface CommandLine {
  /** Absolute. By now it may lead to another build, or be one. */
  readonly program: string;
  readonly args: readonly string[];
}

const NO_EXECVE = 'this Node.js has no process.execve';
const PREFLIGHT_TIMEOUT_MS = 30_000;

/** For once, at the start: the variable that tells is taken out, nothing is to inherit it. */
export function takeCommandLine(): CommandLine {
  const [, file = '', ...args] = process.argv;
  const program = resolve(process.env[STARTED_AS] ?? file);
  delete process.env[STARTED_AS];
  return { program, args };
}

/**
 * Has the program that would take over look at all it needs, without touching anything.
 * @throws ProcessmasterError `conflict` with its own words when it could not go on in our place.
 */
export async function checkSuccessor(
  { program, args }: CommandLine,
  own: InstanceIdentity,
): Promise<BuildInfo> {
  if (process.execve === undefined) throw refusal(NO_EXECVE);
  const candidate = await askCandidate(program, args);
  const { cgroup, runtimeDirectory } = candidate.instance;
  if (cgroup !== own.cgroup || runtimeDirectory !== own.runtimeDirectory) {
    const [before, after] = [own, candidate.instance].map(
      (instance) => `cgroup '${instance.cgroup}', runtime directory '${instance.runtimeDirectory}'`,
    );
    throw refusal(
      `the master config names another instance now: ${after}, before ${before} (stop this daemon and start the other)`,
    );
  }
  return candidate.build;
}

/**
 * Becomes the program: same pid, same services, nothing of this image is left. Everything that the
 * next one opens must have been let go of. Does not return; when the kernel refuses what looks right,
 * Node aborts.
 * @throws ProcessmasterError `launch_failed` when the program cannot be executed any more
 */
export function replaceSelf({ program, args }: CommandLine): never {
  assertExecutable(program);
  if (process.execve === undefined) throw refusal(NO_EXECVE);
  return process.execve(program, [program, ...args], definedOf(process.env));
}

async function askCandidate(program: string, args: readonly string[]): Promise<Candidate> {
  const argv = [program, ...args, '--preflight'] as const;
  try {
    const { code, stdout, stderr } = await runCommand(argv, {
      timeoutMs: PREFLIGHT_TIMEOUT_MS,
      // The same Node is found, relative paths mean the same, as for the image itself.
      environment: definedOf(process.env),
      cwd: process.cwd(),
    });
    if (code !== 0) throw refusal(stderr.trim() || `'${program}' ended with ${code ?? 'a signal'}`);
    // A door, but one into a program of ours: an older build without --preflight ended with 2 above.
    return JSON.parse(stdout) as Candidate;
  } catch (error) {
    if (error instanceof ProcessmasterError && error.code === 'conflict') throw error;
    throw refusal(messageOf(error), error);
  }
}

function definedOf(environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

function refusal(why: string, cause?: unknown): ProcessmasterError {
  const message = `cannot restart the daemon, the running one goes on: ${why}`;
  return new ProcessmasterError('conflict', message, { cause });
}
