import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a command line of words without spaces to its end; gives what it prints. */
export async function command(line: string): Promise<string> {
  const [file = '', ...args] = line.split(' ');
  const { stdout } = await execute(file, args, { timeout: 60_000 });
  return stdout;
}
