import { ProcessmasterError } from '../lib/errors.ts';
import type { RecordedEvent } from '../model/event.ts';
import type { ApiPorts } from './ports.ts';
import { after, type WaitOptions } from './wait.ts';

/**
 * Resolves when an event that `concerns` somebody is recorded, or the time is over.
 * @throws ProcessmasterError `unreachable` when `signal` is aborted: nobody waits any more.
 */
export function waitForEvent(
  ports: Pick<ApiPorts, 'clock' | 'onEvent'>,
  concerns: (event: RecordedEvent) => boolean,
  { timeoutMs, signal }: WaitOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      unsubscribe();
      disarm();
      signal.removeEventListener('abort', abort);
      finish();
    };
    const abort = () => settle(() => reject(nobodyWaits()));
    const unsubscribe = ports.onEvent((event) => {
      if (concerns(event)) settle(resolve);
    });
    const disarm = after(ports.clock, timeoutMs, () => settle(resolve));
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
}

function nobodyWaits(): ProcessmasterError {
  const why = 'the client is gone or the daemon shuts down';
  return new ProcessmasterError('unreachable', `cannot wait for events: ${why}`);
}
