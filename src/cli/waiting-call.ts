import type { Outcome } from '../rpc/contract.ts';
import { type Invocation, json, type Output } from './invocation.ts';
import { readReason, readTimeoutMs, readWait } from './option-values.ts';
import { exitCodeOfOutcomes, renderDone, renderNotDone } from './render-outcomes.ts';

interface Waiting {
  readonly wait: boolean;
  readonly timeout_ms: number | null;
  readonly reason?: string;
}

/** What start, stop, restart, enable and disable have in common: the options, one line a service, the exit code. */
export async function waitingCall(
  { values, format }: Invocation,
  verb: 'start' | 'stop' | 'restart' | 'enable' | 'disable',
  ask: (waiting: Waiting) => Promise<{ readonly services: readonly Outcome[] }>,
): Promise<Output> {
  const waiting = {
    wait: readWait(verb, values),
    timeout_ms: readTimeoutMs(verb, values.timeout),
    ...readReason(verb, values.reason),
  };
  const { services } = await ask(waiting);
  const stdout = format === 'json' ? json(services) : renderDone(services);
  const stderr = renderNotDone(verb, services);
  return { stdout, stderr, exitCode: exitCodeOfOutcomes(services) };
}
