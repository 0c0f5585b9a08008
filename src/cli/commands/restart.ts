import type { Invocation, Output } from '../invocation.ts';
import { waitingCall } from '../waiting-call.ts';

export function run(invocation: Invocation): Promise<Output> {
  return waitingCall(invocation, 'restart', (waiting) =>
    invocation.call('services.restart', { names: [...invocation.operands], ...waiting }, null),
  );
}
