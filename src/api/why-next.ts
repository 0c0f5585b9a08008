import { DEFAULT_GRACE_MS, killDueMonotonicMs } from '../model/stop-timing.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { countProcesses, messageOf, specInForce, type WhyFacts } from './why-facts.ts';
import { type WhyState, whyStateOf } from './why-state.ts';

type Next = NonNullable<Explanation['next']>;

/** What happens by itself and when; `null` when nothing is due until something else happens. Pure. */
export function explainNext(facts: WhyFacts): Next | null {
  const failed = messageOf(facts.status, 'ActionFailed');
  if (failed !== null) return inMs('retry', 'it is tried again', facts.nextLookMs, facts);
  return NEXT_OF_STATE[whyStateOf(facts.status.conditions)](facts);
}

const nothing = () => null;

const NEXT_OF_STATE: { readonly [S in WhyState]: (facts: WhyFacts) => Next | null } = {
  unknown: (facts) => inMs('look', "the kernel's state is read again", facts.nextLookMs, facts),
  stuck: nextKill,
  stopping: nextKill,
  unrecorded: nothing,
  'main-gone': nothing,
  running: nothing,
  starting: nextOfStart,
  invalid: nothing,
  disabled: nothing,
  stopped: nextOfStop,
  failed: nothing,
  backoff: nextStart,
  completed: nothing,
  scheduled: nextSlot,
  provisioning: (facts) => inMs('start', 'it is started when that is done', null, facts),
  unprovisioned: nextProvisioning,
  down: nothing,
};

function nextStart(facts: WhyFacts): Next | null {
  const { nextStartMonotonicMs, job } = facts.status.history;
  const startMs = nextStartMonotonicMs ?? job?.retryAtMonotonicMs ?? null;
  return startMs === null ? null : at('start', 'it is started again', startMs, facts);
}

/** Jitter is not counted: the slot is what people wrote down. */
function nextSlot(facts: WhyFacts): Next | null {
  const slotMs = facts.status.history.job?.nextSlotMs ?? null;
  return slotMs === null ? null : inMs('start', 'it is run', slotMs - facts.now.wallMs, facts);
}

function nextProvisioning(facts: WhyFacts): Next | null {
  const dueMs = facts.status.history.provisioning?.nextTryMonotonicMs ?? null;
  return dueMs === null ? null : at('retry', 'it is provisioned again', dueMs, facts);
}

/** A stop that was asked for with an end. */
function nextOfStop(facts: WhyFacts): Next | null {
  const { intent, desired } = facts.status;
  if (intent === null || intent.until === null) return null;
  const isStarted = desired?.accepted?.spec.enabled === true;
  const message = `the stop ends${isStarted ? ' and it is started' : ''}`;
  return at('lift', message, intent.until.monotonicMs, facts);
}

/** Once launched it only has to enter its cgroup, which nobody has to do for it. */
function nextOfStart(facts: WhyFacts): Next | null {
  const { run, runEnd } = facts.status.history;
  const isLaunched = run !== null && runEnd === null;
  return isLaunched ? null : inMs('start', 'it is started', 0, facts);
}

function nextKill(facts: WhyFacts): Next {
  const { stop } = facts.status.history;
  if (stop === null) return inMs('stop', 'it is asked to end', facts.nextLookMs ?? 0, facts);
  const graceMs = specInForce(facts.status)?.spec.stopGraceMs ?? DEFAULT_GRACE_MS;
  const dueMs = killDueMonotonicMs(stop, graceMs);
  if (stop.killedAtMonotonicMs !== null)
    return at('kill_again', 'it is killed again', dueMs, facts);
  return at('kill', `${whatIsLeft(facts)} killed if still there`, dueMs, facts);
}

function whatIsLeft({ status: { cgroup } }: WhyFacts): string {
  const count = cgroup.kind === 'populated' ? cgroup.pids.length : 0;
  if (count === 0) return 'its stop command is';
  return `${countProcesses(count)} ${count === 1 ? 'is' : 'are'}`;
}

function at(action: Next['action'], message: string, monotonicMs: number, facts: WhyFacts): Next {
  return inMs(action, message, monotonicMs - facts.now.monotonicMs, facts);
}

function inMs(
  action: Next['action'],
  message: string,
  delayMs: number | null,
  { now }: WhyFacts,
): Next {
  if (delayMs === null) return { action, message, in_ms: null, at_ms: null };
  const in_ms = Math.max(Math.round(delayMs), 0);
  return { action, message, in_ms, at_ms: Math.round(now.wallMs) + in_ms };
}
