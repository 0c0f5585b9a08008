export const DEFAULT_SOCKET = '/run/processmaster/processmaster.sock';

/** The daemon's socket: `--sock`, then `PMCTL_SOCK`, then the default path. */
export function socketPath(option: string | undefined, env: NodeJS.ProcessEnv): string {
  if (option !== undefined && option !== '') return option;
  const named = env.PMCTL_SOCK;
  return named !== undefined && named !== '' ? named : DEFAULT_SOCKET;
}
