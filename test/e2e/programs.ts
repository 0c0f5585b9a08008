import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';

const projectRoot = join(import.meta.dirname, '../..');

export const examples = join(projectRoot, 'examples');
export const readme = join(projectRoot, 'README.md');

/** What a program said and how it ended; `code` is null after a signal. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let built: Promise<unknown> | undefined;

/** The path of a built program; builds once, and only when `dist/` is older than the sources. */
export async function program(name: 'processmaster' | 'pmctl'): Promise<string> {
  // Test files run in processes of their own, so the lock is the kernel's (flock(1) on a folder).
  built ??= promisify(execFile)(
    'flock',
    ['src', process.execPath, 'scripts/build.ts', '--if-stale'],
    { cwd: projectRoot },
  );
  await built;
  return join(projectRoot, 'dist', name);
}

interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  /** It has printed something. */
  readonly onStdout?: () => void;
}

/** Runs a program to its end, killing it after `timeoutMs`. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env = process.env, timeoutMs = 20_000, onStdout = () => {} }: ProgramOptions = {},
): Promise<Outcome> {
  const child = spawn(file, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
    onStdout();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, ...text };
}
