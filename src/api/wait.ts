import type { Clock } from '../lib/clock.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ApiPorts } from './ports.ts';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Looks at a service's status, now and after each change, until `judge` says something; `null` when
 * the time is over before that.
 *
 * @throws ProcessmasterError `unreachable` when `signal` is aborted: nobody waits any more.
 */
export function waitForVerdict<T>(
  ports: Pick<ApiPorts, 'clock' | 'status' | 'subscribe'>,
  name: ServiceName,
  judge: (status: ServiceStatus | null) => T | null,
  { timeoutMs, signal }: WaitOptions,
): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      unsubscribe();
      disarm();
      signal.removeEventListener('abort', abort);
      finish();
    };
    const look = () => {
      const verdict = judge(ports.status(name));
      if (verdict !== null) settle(() => resolve(verdict));
    };
    const abort = () => settle(() => reject(nobodyWaits(name)));
    const unsubscribe = ports.subscribe((changed) => {
      if (changed === name) look();
    });
    const disarm = after(ports.clock, timeoutMs, () => settle(() => resolve(null)));
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else look();
  });
}

/** Like `clock.schedule`, for delays of any length. */
export function after(clock: Clock, delayMs: number, callback: () => void): () => void {
  const dueMs = clock.monotonicMs() + delayMs;
  let disarm = () => {};
  const arm = () => {
    const leftMs = dueMs - clock.monotonicMs();
    if (leftMs <= 0) callback();
    else disarm = clock.schedule(leftMs, arm);
  };
  disarm = clock.schedule(delayMs, arm);
  return () => disarm();
}

function nobodyWaits(name: ServiceName): ProcessmasterError {
  const why = 'the client is gone or the daemon shuts down (what was asked for stays recorded)';
  return new ProcessmasterError('unreachable', `cannot wait for '${name}': ${why}`);
}
