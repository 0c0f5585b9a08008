import type { Invocation, Output } from '../invocation.ts';
import { readFor } from '../option-values.ts';
import { waitingCall } from '../waiting-call.ts';

export function run(invocation: Invocation): Promise<Output> {
  const names = [...invocation.operands];
  const forTime = readFor('stop', invocation.values.for);
  return waitingCall(invocation, 'stop', (waiting) =>
    invocation.call('services.stop', { names, ...waiting, ...forTime }, null),
  );
}
