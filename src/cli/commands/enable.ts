import type { Invocation, Output } from '../invocation.ts';
import { waitingCall } from '../waiting-call.ts';

export function run(invocation: Invocation): Promise<Output> {
  return waitingCall(invocation, 'enable', (waiting) =>
    invocation.call('services.enable', { names: [...invocation.operands], ...waiting }, null),
  );
}
