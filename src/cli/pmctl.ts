/**
 * pmctl: one request, one answer, out. Its start is most of what it costs, so this file imports
 * little and everything else comes when it is needed.
 */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isErrno, ProcessmasterError } from '../lib/errors.ts';
import { readCommandLine } from './arguments.ts';
import { COMMANDS, COMMON_OPTIONS, findCommand } from './commands.ts';
import { type Call, type Output, printed, type Terminal } from './invocation.ts';
import { socketPath } from './socket-path.ts';
import { UsageError } from './usage-error.ts';

const ANSWER_TIMEOUT_MS = 30_000;

void runPmctl(process.argv.slice(2), process.env).then(finish);

async function runPmctl(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Output> {
  try {
    const { command, wantsHelp, ...line } = await readCommandLine(argv);
    if (wantsHelp) return await help(command.name);
    if (command.load === null) return await help(line.operands[0]);
    const { run } = await command.load();
    const path = socketPath(line.values.sock === true ? undefined : line.values.sock, env);
    return await run({ ...line, terminal: terminalOf(env), call: callOn(path) });
  } catch (error) {
    return await failure(error);
  }
}

async function help(name: string | undefined): Promise<Output> {
  const { renderCommandHelp, renderOverview } = await import('./render-help.ts');
  if (name === undefined || name === 'help')
    return printed(renderOverview(COMMANDS, COMMON_OPTIONS));
  const command = findCommand(name);
  if (command === undefined)
    throw new UsageError(null, `cannot explain '${name}': there is no such command`);
  return printed(renderCommandHelp(command, COMMON_OPTIONS));
}

function callOn(path: string): Call {
  return async (method, params, timeoutMs = ANSWER_TIMEOUT_MS) => {
    const [{ connect }, { buildInfo }] = await Promise.all([
      import('../rpc/client.ts'),
      import('../lib/build-info.ts'),
    ]);
    return await connect(path, { build: buildInfo(), timeoutMs }).call(method, params);
  };
}

function terminalOf(env: NodeJS.ProcessEnv): Terminal {
  if (!isatty(1)) return { columns: Number.POSITIVE_INFINITY, colours: false };
  const noColours = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  return { columns: process.stdout.columns, colours: !noColours && env.TERM !== 'dumb' };
}

async function failure(error: unknown): Promise<Output> {
  // What is not ours is a defect: Node prints it with its stack and exits with 1.
  if (!(error instanceof ProcessmasterError)) throw error;
  const [{ renderError }, { exitCodeOf }] = await Promise.all([
    import('./render-error.ts'),
    import('../rpc/error-codes.ts'),
  ]);
  const { code, message } = error;
  const command = error instanceof UsageError ? error.command : null;
  return {
    stdout: '',
    stderr: renderError({ code, message, command }),
    exitCode: exitCodeOf(code),
  };
}

/** Ends at once when everything is written; open connections do not keep it. */
function finish({ stdout, stderr, exitCode }: Output): void {
  write(2, stderr, () => write(1, stdout, () => process.exit(exitCode)));
}

/**
 * Writes to a descriptor as it is: making a stream of it would cost 3 ms. A full pipe that does not
 * block (EAGAIN) does need the stream; a reader that went away (EPIPE) has what it wanted.
 */
function write(fd: 1 | 2, text: string, written: () => void): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) {
      const stream = fd === 1 ? process.stdout : process.stderr;
      stream.on('error', written);
      stream.write(rest, written);
      return;
    }
  }
  written();
}
