import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { CgroupPath } from './cgroup.ts';

/** A child that is trusted with nothing but what it is told. */
export interface ConfinedChild {
  readonly pid: number;
  /** What is written here is its stdin. */
  readonly stdin: Writable;
  readonly stderr: Readable;
  /** Its descriptor 3: both ways, no name in the file system. */
  readonly socket: Socket;
  /** How it ended, a few words. Never rejects. */
  readonly ended: Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** Joins the cgroup before the program's first instruction; whatever it executes gains no rights. */
const SCRIPT = 'echo 0 >"$1/cgroup.procs" && shift && exec setpriv --no-new-privs -- "$@"';

/**
 * Starts a program as a child in a cgroup and a session of its own, with an environment of its own.
 * @throws ProcessmasterError `io` when no process can be made
 */
export function startConfined(
  argv: readonly [string, ...string[]],
  cgroup: CgroupPath,
  environment: Readonly<Record<string, string>>,
): ConfinedChild {
  const child = spawnIn(argv, cgroup, environment);
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(messageOf(error)));
    child.on('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`),
    );
  });
  const [stdin, , stderr, socket] = child.stdio;
  if (child.pid === undefined || stdin === null || stderr === null || socket === undefined) {
    throw new ProcessmasterError('io', `cannot start '${argv[0]}': no process could be made`);
  }
  // A reader that is gone is told by its end.
  stdin.on('error', () => {});
  return {
    pid: child.pid,
    stdin,
    stderr: stderr as Readable,
    socket: socket as Socket,
    ended,
    kill: (signal) => void child.kill(signal),
  };
}

function spawnIn(
  argv: readonly string[],
  cgroup: CgroupPath,
  env: Readonly<Record<string, string>>,
): ChildProcess {
  try {
    return spawn('/bin/sh', ['-c', SCRIPT, 'sh', cgroup, ...argv], {
      cwd: '/',
      env: { ...env },
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
  } catch (cause) {
    const message = `cannot start '${argv[0]}': ${messageOf(cause)}`;
    throw new ProcessmasterError('io', message, { cause });
  }
}
