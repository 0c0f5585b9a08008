import { type SpawnOptions, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { ProcessmasterError } from '../src/lib/errors.ts';

export interface Finished {
  readonly output: string;
  /** From just before the spawn until its output ended and it was reaped. */
  readonly elapsedMs: number;
}

/** Runs a command to its end. Throws `io` with what it printed unless it exits 0. */
export async function run(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Finished> {
  signal.throwIfAborted();
  const startedAtMs = performance.now();
  const child = start(argv, { env, stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await ended(child);
  const elapsedMs = performance.now() - startedAtMs;
  signal.throwIfAborted();
  if (code === 0) return { output, elapsedMs };
  const tail = output.trim().split('\n').slice(-15).join('\n');
  throw new ProcessmasterError('io', `cannot run '${argv.join(' ')}': exit ${code}\n${tail}`);
}

/**
 * Spawns a command in a session of its own, so that a Ctrl-C at the terminal reaches only the
 * bench, which then ends everything in order.
 */
export function start(argv: readonly string[], options: SpawnOptions) {
  const [program = '', ...args] = argv;
  return spawn(program, args, { ...options, detached: true });
}

/** The exit code of a child, or the signal or error that ended it. */
export function ended(child: ReturnType<typeof start>): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

/** Whether a program of this name is on the PATH. */
export function commandExists(name: string): boolean {
  const folders = `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin`.split(':');
  return folders.some((folder) => isExecutable(join(folder, name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
