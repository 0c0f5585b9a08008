import { ProcessmasterError } from '../lib/errors.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts } from './ports.ts';

/**
 * Keeps in the journal who came into the web console, and who did not.
 * @throws ProcessmasterError `not_permitted` for everybody but the console
 */
export function noteAccess(
  ports: ApiPorts,
  { kind, user, address }: ParamsOf<'console.note'>,
  { isConsole }: CallContext,
): ResultOf<'console.note'> {
  if (!isConsole) {
    throw new ProcessmasterError('not_permitted', 'cannot note that: only the web console does');
  }
  ports.emit({
    atMs: ports.clock.wallMs(),
    service: null,
    kind: `console.${kind}`,
    message: `${user} from ${address}`,
    actor: kind === 'login-failed' ? 'console' : user,
    data: { address },
  });
  return {};
}
