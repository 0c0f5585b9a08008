import type { Invocation, Output } from '../invocation.ts';
import { waitingCall } from '../waiting-call.ts';

export function run(invocation: Invocation): Promise<Output> {
  return waitingCall(invocation, 'disable', (waiting) =>
    invocation.call('services.disable', { names: [...invocation.operands], ...waiting }, null),
  );
}
