import type { Invocation, Output } from '../invocation.ts';
import { waitingCall } from '../waiting-call.ts';

export function run(invocation: Invocation): Promise<Output> {
  const names = [...invocation.operands];
  const force = invocation.values.force === true;
  return waitingCall(invocation, 'start', (waiting) =>
    invocation.call('services.start', { names, force, ...waiting }, null),
  );
}
