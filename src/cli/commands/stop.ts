import type { Invocation, Output } from '../invocation.ts';
import { waitingCall } from '../waiting-call.ts';

export function run(invocation: Invocation): Promise<Output> {
  return waitingCall(invocation, 'stop', (waiting) =>
    invocation.call('services.stop', { names: [...invocation.operands], ...waiting }, null),
  );
}
