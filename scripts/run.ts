import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '..');

/** Runs a program in the project's folder, its output on ours; gives its exit code, 1 for a death. */
export async function run(
  argv: readonly [string, ...string[]],
  options: SpawnOptions = {},
): Promise<number> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { cwd: projectRoot, stdio: 'inherit', ...options });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

/** The same where nothing makes sense after a failure. */
export async function mustRun(
  argv: readonly [string, ...string[]],
  options: SpawnOptions = {},
): Promise<void> {
  const code = await run(argv, options);
  if (code !== 0) throw new Error(`'${argv.join(' ')}' ended with ${code}`);
}
