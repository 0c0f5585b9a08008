/**
 * pmctl: one request, one answer, out. Its start is most of what it costs, so this file imports
 * little and everything else comes when it is needed.
 */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isErrno, ProcessmasterError } from '../lib/errors.ts';
import { readCommandLine } from './arguments.ts';
import { COMMON_OPTIONS } from './command.ts';
import { findCommand, SHOWN_COMMANDS } from './commands.ts';
import { type Call, type Invocation, type Output, printed, type Terminal } from './invocation.ts';
import { socketPath } from './socket-path.ts';
import { UsageError } from './usage-error.ts';

const ANSWER_TIMEOUT_MS = 30_000;
const EXIT_INTERRUPTED = 130;

void runPmctl(process.argv.slice(2), process.env).then(finish);

async function runPmctl(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Output> {
  try {
    const { command, wantsHelp, ...line } = await readCommandLine(argv);
    if (wantsHelp) return await help(command.name);
    if (command.load === null) return await help(line.operands[0]);
    const { run } = await command.load();
    const path = socketPath(line.values.sock === true ? undefined : line.values.sock, env);
    return await run({ ...line, terminal: terminalOf(env), call: callOn(path), ...writers() });
  } catch (error) {
    return await failure(error);
  }
}

async function help(name: string | undefined): Promise<Output> {
  const { renderCommandHelp, renderOverview } = await import('./render-help.ts');
  if (name === undefined || name === 'help')
    return printed(renderOverview(SHOWN_COMMANDS, COMMON_OPTIONS));
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
    const client = connect(path, { build: buildInfo(), timeoutMs });
    try {
      return await client.call(method, params);
    } finally {
      client.close();
    }
  };
}

function writers(): Pick<Invocation, 'write' | 'complain'> {
  let isBegun = false;
  return {
    write: (text) => {
      // A command that asks what an interrupt means has said so before.
      if (!isBegun && process.listenerCount('SIGINT') === 0) {
        process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED));
      }
      isBegun = true;
      return new Promise((resolve) => write(1, text, resolve));
    },
    complain: (text) => new Promise((resolve) => write(2, text, resolve)),
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
 * block (EAGAIN) does need the stream. Tells whether it was written: a reader that went away (EPIPE)
 * has what it wanted.
 */
function write(fd: 1 | 2, text: string, done: (isWritten: boolean) => void): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
    done(true);
  } catch (error) {
    if (isErrno(error, 'EAGAIN'))
      writeLater(fd === 1 ? process.stdout : process.stderr, rest, done);
    else done(false);
  }
}

function writeLater(
  stream: NodeJS.WriteStream,
  rest: Uint8Array,
  done: (isWritten: boolean) => void,
): void {
  // The callback tells of it, too; without a listener it would be the end.
  if (stream.listenerCount('error') === 0) stream.on('error', () => {});
  stream.write(rest, (failure) => done(!failure));
}
