import type { ErrorCode } from '../lib/errors.ts';
import { neutralise } from '../lib/neutralise.ts';
import { DEFAULT_SOCKET } from './socket-path.ts';

export interface FailureText {
  readonly code: ErrorCode;
  readonly message: string;
  /** The command whose use was wrong, if that is what was wrong. */
  readonly command: string | null;
}

/** `pmctl: <what failed>: <why>`, then the next step where there is one. */
export function renderError(failure: FailureText): string {
  const { message } = failure;
  const step = nextStep(failure);
  const lines = [
    `pmctl: ${neutralise(message, { colours: false })}`,
    ...(step === null ? [] : [`  ${step}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function nextStep({ code, message, command }: FailureText): string | null {
  switch (code) {
    case 'invalid_argument':
      return command === null ? 'see: pmctl help' : `see: pmctl help ${command}`;
    case 'unreachable':
      return `start it with processmaster -c config.yaml, or name its socket: --sock PATH, or PMCTL_SOCK, or the default ${DEFAULT_SOCKET}`;
    case 'not_permitted':
      return 'run pmctl as root, or as a user or group that unix_socket.owner, group and mode let in';
    case 'not_found':
      return `see: pmctl ${/^cannot find action/.test(message) ? 'admin-list' : 'status'}`;
    case 'timeout':
      return 'what was asked for may go on; see: pmctl status';
    case 'withdrawn':
    case 'invalid_config':
    case 'not_co_built':
    case 'conflict':
    case 'launch_failed':
    case 'unsafe_path':
    case 'io':
    case 'protocol':
    case 'internal':
      return null;
  }
}
