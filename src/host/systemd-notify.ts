import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { runCommand } from './run-command.ts';

const TIMEOUT_MS = 10_000;
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Where systemd waits to be told that this process is ready, see sd_notify(3). It is taken out of
 * `environment`, as it is for this process alone; undefined when nobody waits.
 */
export function takeNotifySocket(environment: NodeJS.ProcessEnv): string | undefined {
  const socket = environment.NOTIFY_SOCKET;
  delete environment.NOTIFY_SOCKET;
  return socket;
}

/**
 * Tells systemd that this process is ready. Node cannot write to a datagram socket, systemd-notify(1)
 * can; the unit has to allow it with `NotifyAccess=all`.
 * @throws ProcessmasterError `io`
 */
export async function notifyReady(socket: string): Promise<void> {
  const argv = ['systemd-notify', '--ready', `--pid=${process.pid}`] as const;
  const environment = { PATH, NOTIFY_SOCKET: socket };
  const refuse = (why: string, cause?: unknown) =>
    new ProcessmasterError('io', `cannot tell systemd that the daemon is ready: ${why}`, { cause });
  const result = await runCommand(argv, { timeoutMs: TIMEOUT_MS, environment }).catch(
    (error: unknown) => Promise.reject(refuse(messageOf(error), error)),
  );
  if (result.code !== 0) throw refuse(result.stderr.trim());
}
