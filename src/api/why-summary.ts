import { spokenSpan } from '../lib/spoken-span.ts';
import { formatProblem } from '../model/desired.ts';
import { wantedOf } from '../model/state.ts';
import type { ServiceStatus } from '../model/status.ts';
import { endInWords } from './why-exit.ts';
import {
  countProcesses,
  isAsWritten,
  lastEndOf,
  messageOf,
  placeOf,
  specInForce,
  type WhyFacts,
} from './why-facts.ts';
import { explainNext } from './why-next.ts';
import { type WhyState, whyStateOf } from './why-state.ts';

/** More pids than this are counted, not listed. */
const LISTED_PIDS = 5;

/**
 * The answer in one sentence: `web is BACKOFF: it exited with code 3 after 0.2 s, 2nd time in a row;
 * next start in 3.1 s`. Pure.
 */
export function summarise(facts: WhyFacts): string {
  const { status } = facts;
  const state = whyStateOf(status.conditions);
  const is = state === 'unknown' ? 'cannot be seen' : `is ${status.phase}`;
  const failure = messageOf(status, 'ActionFailed');
  const parts = [
    SENTENCES[state](facts),
    state === 'invalid' ? null : troubleInWords(status),
    waitingInWords(status),
    environmentInWords(status),
    provisioningInWords(status),
    failure === null ? null : `the last step failed (${failure})`,
  ];
  return `${status.name} ${is}: ${parts.filter((part) => part !== null).join('; ')}`;
}

const SENTENCES: { readonly [S in WhyState]: (facts: WhyFacts) => string } = {
  unknown: ({ status }) => `${messageOf(status, 'Unknown')}; it is left alone meanwhile`,
  stuck: sayStuck,
  stopping: sayStopping,
  unrecorded: (facts) =>
    `${processes(facts)} of it ${count(facts) === 1 ? 'was' : 'were'} found without a record of the start`,
  'main-gone': sayMainGone,
  running: sayRunning,
  starting: sayStarting,
  invalid: ({ status }) => sayInvalid(status),
  disabled: sayDisabled,
  stopped: sayStopped,
  failed: sayFailed,
  backoff: sayBackoff,
  completed: sayLeftAtThat,
  scheduled: sayScheduled,
  provisioning: () => 'its working directory is being provisioned, then it is started',
  unprovisioned: sayUnprovisioned,
  down: sayDown,
};

function sayRunning(facts: WhyFacts): string {
  const { run } = facts.status.history;
  const why =
    facts.status.desired?.accepted?.spec.enabled === false ? 'it is forced on' : 'it is enabled';
  if (run === null) return why;
  return `${why} and has been up for ${since(run.launchedAt.monotonicMs, facts)} (run ${run.number}, ${processes(facts)})`;
}

function sayMainGone(facts: WhyFacts): string {
  const message = messageOf(facts.status, 'MainProcessGone') ?? '';
  return `${message}; it is up until the last one ends`;
}

function sayStarting(facts: WhyFacts): string {
  const { run, runEnd } = facts.status.history;
  if (run === null || runEnd !== null) {
    return `it is being started (${messageOf(facts.status, 'Starting')})`;
  }
  return `run ${run.number} was launched ${since(run.launchedAt.monotonicMs, facts)} ago and is on its way into its cgroup`;
}

function sayStopping(facts: WhyFacts): string {
  const reason = messageOf(facts.status, 'Stopping');
  const { stop } = facts.status.history;
  const left = count(facts) === 0 ? 'its stop command is at work' : `${named(facts)} still there`;
  const then = wantsToRun(facts) ? '; then it is started again' : '';
  if (stop === null) return `${reason}; it is asked to end${then}`;
  if (stop.killedAtMonotonicMs !== null) {
    return `${reason}; ${left}, killed ${since(stop.killedAtMonotonicMs, facts)} ago${then}`;
  }
  return `${reason}; ${left}, to be killed ${due(facts)}${then}`;
}

function wantsToRun({ status, shuttingDown }: WhyFacts): boolean {
  return wantedOf(status.desired, status.intent, shuttingDown).kind === 'run';
}

function sayStuck(facts: WhyFacts): string {
  const killedAt = facts.status.history.stop?.killedAtMonotonicMs ?? facts.now.monotonicMs;
  const left = count(facts) === 0 ? 'its stop command' : named(facts);
  return `killed ${since(killedAt, facts)} ago, but the kernel has not let go of ${left}; killed again ${due(facts)}`;
}

function sayInvalid({ desired }: ServiceStatus): string {
  const trouble = desired?.trouble ?? null;
  const never = 'there never was a valid definition';
  switch (trouble?.kind) {
    case 'invalid': {
      const [first, ...more] = trouble.problems;
      const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
      return `${formatProblem(first)}${others}; ${never}`;
    }
    case 'conflict':
      return `defined more than once, in ${trouble.files.join(' and ')}; ${never}`;
    case 'held':
    case undefined:
      return never;
  }
}

function sayDisabled(facts: WhyFacts): string {
  const accepted = specInForce(facts.status);
  if (accepted === null) return 'global.enabled is false';
  const keys = isAsWritten(facts.status) ? ['global.enabled'] : [];
  return `global.enabled is false in ${placeOf(facts, accepted.sourceFile, ...keys)}`;
}

function sayStopped(facts: WhyFacts): string {
  const { intent } = facts.status;
  if (intent === null) return 'an operator stopped it';
  const ago = spokenSpan(facts.now.wallMs - intent.requestedAtMs);
  const why = intent.reason === null ? '' : `: ${intent.reason}`;
  const end = intent.until === null ? '' : `; the stop ends ${due(facts)}`;
  return `stopped by ${intent.actor} ${ago} ago${why}${end}`;
}

function sayFailed(facts: WhyFacts): string {
  const { history } = facts.status;
  const restart = specInForce(facts.status)?.spec.restart;
  if (!history.failed || restart === undefined) return sayLeftAtThat(facts);
  const { maxRestarts, toleranceMs } = restart;
  const times = maxRestarts === 1 ? '1 restart' : `${maxRestarts} restarts`;
  const spent = maxRestarts === 0 ? 'no restart is' : `${times} in ${spokenSpan(toleranceMs)} are`;
  return `it ${lastEnd(facts)}; ${spent} tolerated, so it is not started again`;
}

function sayBackoff(facts: WhyFacts): string {
  if (facts.status.history.job !== null) {
    return `it ${lastEnd(facts)}; ${messageOf(facts.status, 'Backoff')}; next try ${due(facts)}`;
  }
  const nth = ordinal(facts.status.history.consecutiveFailures);
  return `it ${lastEnd(facts)}, ${nth} time in a row; next start ${due(facts)}`;
}

function sayUnprovisioned(facts: WhyFacts): string {
  const message = messageOf(facts.status, 'ProvisioningFailed');
  return `it cannot be provisioned, and is not started without that: ${message}; tried again ${due(facts)}`;
}

function sayLeftAtThat(facts: WhyFacts): string {
  const policy = specInForce(facts.status)?.spec.restart.policy ?? 'never';
  return `it ${lastEnd(facts)}, and restart policy ${policy} leaves it at that`;
}

function sayScheduled(facts: WhyFacts): string {
  const { status } = facts;
  const last = status.history.job?.lastRun ?? null;
  const ended = lastEndOf(status) === null ? '' : `; its last run ${lastEnd(facts)}`;
  const outcome = last === null || ended === '' ? '' : ` (${last.outcome})`;
  const overdue = messageOf(status, 'Overdue');
  const waits = `it waits for its ${messageOf(status, 'Scheduled') ?? 'schedule'}`;
  return `${waits}${ended}${outcome}${overdue === null ? '' : `; ${overdue}`}`;
}

function sayDown({ status, shuttingDown }: WhyFacts): string {
  if (shuttingDown) return 'the daemon is shutting down';
  return messageOf(status, 'Removed') ?? 'it has not been started yet';
}

function troubleInWords({ desired }: ServiceStatus): string | null {
  const trouble = desired?.trouble ?? null;
  if (trouble === null) return null;
  const stays = desired?.accepted
    ? `, generation ${desired.accepted.generation} stays in force`
    : '';
  switch (trouble.kind) {
    case 'invalid':
      return `its definition is invalid now (${formatProblem(trouble.problems[0])})${stays}`;
    case 'conflict':
      return `it is defined more than once (${trouble.files.join(', ')})${stays}`;
    case 'held':
      return `its definition is gone, and the brake holds it as it is`;
  }
}

/** What is so of a service that runs, or may. */
function provisioningInWords(status: ServiceStatus): string | null {
  const failed = messageOf(status, 'ProvisioningFailed');
  const isTold = whyStateOf(status.conditions) === 'unprovisioned';
  if (failed !== null && !isTold) return `it could not be provisioned again (${failed})`;
  return messageOf(status, 'ProvisioningOutdated');
}

function waitingInWords({ desired }: ServiceStatus): string | null {
  switch (desired?.waiting) {
    case undefined:
      return null;
    case 'changed':
      return 'its definition was changed, which waits for pmctl update';
    case 'removed':
      return 'its definition is gone, which waits for pmctl update';
  }
}

/** What its environment is made from would make another one now, or none. */
function environmentInWords(status: ServiceStatus): string | null {
  const isOtherwisePending = status.desired?.waiting !== undefined;
  const pending = isOtherwisePending ? null : messageOf(status, 'ChangePending');
  return messageOf(status, 'EnvironmentUnreadable') ?? pending;
}

function lastEnd(facts: WhyFacts): string {
  const last = lastEndOf(facts.status);
  if (last === null) return 'ended';
  const isRun = last.ranMs !== null && last.end.exit.kind !== 'launch_failed';
  return `${endInWords(last, facts.status)}${isRun ? ` after ${spokenSpan(last.ranMs ?? 0)}` : ''}`;
}

function due(facts: WhyFacts): string {
  const inMs = explainNext(facts)?.in_ms ?? null;
  if (inMs === null) return 'soon';
  return inMs === 0 ? 'now' : `in ${spokenSpan(inMs)}`;
}

function since(monotonicMs: number, { now }: WhyFacts): string {
  return spokenSpan(now.monotonicMs - monotonicMs);
}

function pidsOf({ status: { cgroup } }: WhyFacts): readonly number[] {
  return cgroup.kind === 'populated' ? cgroup.pids : [];
}

function count(facts: WhyFacts): number {
  return pidsOf(facts).length;
}

function processes(facts: WhyFacts): string {
  return countProcesses(count(facts));
}

/** `pid 12`, `pids 12, 13`, `40 processes`. */
function named(facts: WhyFacts): string {
  const pids = pidsOf(facts);
  if (pids.length > LISTED_PIDS) return countProcesses(pids.length);
  return `${pids.length === 1 ? 'pid' : 'pids'} ${pids.join(', ')}`;
}

/** `1st`, `2nd`, `3rd`, `11th`. */
function ordinal(count: number): string {
  const isTeen = Math.floor((count % 100) / 10) === 1;
  const ending = isTeen ? undefined : ['th', 'st', 'nd', 'rd'][count % 10];
  return `${count}${ending ?? 'th'}`;
}
