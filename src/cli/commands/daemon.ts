import { setTimeout as delay } from 'node:timers/promises';
import { type BuildInfo, describeBuild } from '../../lib/build-info.ts';
import { ProcessmasterError } from '../../lib/errors.ts';
import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readTimeoutMs } from '../option-values.ts';
import { UsageError } from '../usage-error.ts';
import { run as showServer } from './server-version.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const LOOK_MS = 50;

export async function run(invocation: Invocation): Promise<Output> {
  const [what] = invocation.operands;
  if (what === 'status') return showServer(invocation);
  if (what === 'restart') return restart(invocation);
  throw new UsageError('daemon', `cannot use '${what}': expected status or restart`);
}

/** Asks for the replacement and waits until the next daemon answers. */
async function restart({ call, format, values }: Invocation): Promise<Output> {
  const timeoutMs = readTimeoutMs('daemon', values.timeout) ?? DEFAULT_TIMEOUT_MS;
  const deadlineMs = performance.now() + timeoutMs;
  const { from, started_at_ms } = await call('daemon.restart', {}, timeoutMs);
  const next = await nextDaemon(call, started_at_ms, deadlineMs);
  if (next === null) {
    const why = `the next one does not answer after ${timeoutMs / 1_000} s (see its own log)`;
    throw new ProcessmasterError('timeout', `cannot restart the daemon: ${why}`);
  }
  const { pid, socket, build } = next;
  if (format === 'json') return printed(json({ from, to: build, pid, socket }));
  return printed(`${describeChange(from, build)}\npid ${pid}, socket ${socket}\n`);
}

/** The answer of a daemon that was started later than the one asked, or null. */
async function nextDaemon(call: Invocation['call'], startedAtMs: number, deadlineMs: number) {
  while (performance.now() < deadlineMs) {
    const answer = await call('daemon.version', {}, deadlineMs - performance.now()).catch(
      ignoreGap,
    );
    if (answer !== null && answer.started_at_ms !== startedAtMs) return answer;
    await delay(LOOK_MS);
  }
  return null;
}

/** Between the two nobody listens, and the old one hangs up on those who are connected. */
function ignoreGap(error: unknown): null {
  if (error instanceof ProcessmasterError && error.code !== 'not_permitted') return null;
  throw error;
}

function describeChange(from: BuildInfo, to: BuildInfo): string {
  return `processmaster ${describeBuild(from)}\n            -> ${describeBuild(to)}`;
}
