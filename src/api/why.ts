import type { Instant } from '../lib/clock.ts';
import { describeExit, hasActiveRun } from '../model/history.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { explainDefinition } from './why-definition.ts';
import { explainDesired } from './why-desired.ts';
import { explainLastExit } from './why-exit.ts';
import { specInForce, type WhyFacts, wallMsAt } from './why-facts.ts';
import { explainNext } from './why-next.ts';
import { summarise } from './why-summary.ts';
import { waysOut } from './why-ways-out.ts';

/** Transitions and ends that one answer has at most. */
const MOST_TRANSITIONS = 12;
const MOST_LAST_EXITS = 4;

/** Why a service is as it is, who decided it, what happens next and what can be done. Pure. */
export function explain(facts: WhyFacts): Explanation {
  const { status, now } = facts;
  return {
    application: status.name,
    phase: status.phase,
    summary: summarise(facts),
    at_ms: Math.round(now.wallMs),
    desired: explainDesired(facts),
    definition: explainDefinition(facts),
    observed: explainObserved(facts),
    conditions: status.conditions,
    transitions: facts.events
      .slice(-MOST_TRANSITIONS)
      .map(({ atMs, kind, message, actor }) => ({ at_ms: atMs, kind, message, actor })),
    last_exit: explainLastExit(facts),
    restarts: explainRestarts(facts),
    next: explainNext(facts),
    ways_out: waysOut(facts),
    stderr: facts.stderr,
  };
}

function explainObserved({ status, now, processes }: WhyFacts): Explanation['observed'] {
  const { history, cgroup } = status;
  const pids = processes.map(({ pid, command, startedAtMs }) => ({
    pid,
    command,
    uptime_ms: Math.max(Math.round(now.wallMs - startedAtMs), 0),
  }));
  const run = history.run?.number ?? null;
  switch (cgroup.kind) {
    case 'unknown':
      return { actual: 'UNKNOWN', processes: 0, pids, main_pid: null, since_ms: null, run };
    case 'populated': {
      const isKnown = hasActiveRun(history);
      const main_pid = isKnown ? (history.main?.pid ?? null) : null;
      const since_ms = isKnown ? history.run.launchedAt.wallMs : null;
      return { actual: 'RUNNING', processes: cgroup.pids.length, pids, main_pid, since_ms, run };
    }
    case 'empty':
    case 'absent': {
      const since_ms = history.runEnd?.at.wallMs ?? null;
      return { actual: 'STOPPED', processes: 0, pids, main_pid: null, since_ms, run };
    }
  }
}

function explainRestarts({ status, now, runs }: WhyFacts): Explanation['restarts'] {
  const spec = specInForce(status)?.spec;
  // A job is not restarted, whatever the default policy says.
  if (spec === undefined || spec.job !== null) return null;
  const { restart } = spec;
  const { history } = status;
  const counted = history.restartsMonotonicMs.filter(
    (atMs) => countedAt(status, now).monotonicMs - atMs < restart.toleranceMs,
  );
  const ended = runs.flatMap(({ run, exit, endedAtMs }) =>
    exit === null ? [] : [{ run, message: describeExit(exit), at_ms: endedAtMs }],
  );
  return {
    policy: restart.policy,
    max: restart.maxRestarts,
    within_ms: restart.toleranceMs,
    at_ms: counted.map((atMs) => wallMsAt(atMs, now)),
    failures_in_a_row: history.consecutiveFailures,
    last_exits: ended.slice(-MOST_LAST_EXITS).toReversed(),
  };
}

/** When the tolerance was looked at last: later the restarts that exhausted it count no more. */
function countedAt({ history }: WhyFacts['status'], now: Instant): Instant {
  return history.failed && history.runEnd !== null ? history.runEnd.at : now;
}
