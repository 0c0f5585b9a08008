import { spokenSpan } from '../lib/spoken-span.ts';
import { endsAtWallMs, type Intent } from '../model/intent.ts';
import { type Wanted, wantedOf } from '../model/state.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { Explanation } from '../rpc/explanation.ts';
import {
  isAsWritten,
  lastEndOf,
  lastEventAtMs,
  lineOf,
  specInForce,
  type WhyFacts,
} from './why-facts.ts';
import { whyStateOf } from './why-state.ts';

type Desired = Explanation['desired'];
type Decision = Desired['decided_by'];

/** What is wanted of a service, and who decided that: a file, an operator, the policy. Pure. */
export function explainDesired(facts: WhyFacts): Desired {
  const { status, shuttingDown } = facts;
  const wanted = wantedOf(status.desired, status.intent, shuttingDown);
  return {
    wanted: wanted.kind,
    because: becauseOf(wanted, facts),
    decided_by: decisionOf(wanted, facts),
  };
}

function becauseOf(wanted: Wanted, { status }: WhyFacts): string {
  switch (wanted.kind) {
    case 'remove':
    case 'stop':
      return wanted.reason;
    case 'hold':
      return 'there never was a valid definition';
    case 'run':
      return forcingIntent(status) === null ? 'it is enabled' : 'it is forced on';
  }
}

function decisionOf(wanted: Wanted, facts: WhyFacts): Decision {
  switch (wanted.kind) {
    case 'remove':
      return removal(facts, wanted.reason);
    case 'hold':
      return neverValid(facts);
    case 'run':
      return decisionToRun(facts);
    case 'stop':
      return decisionToStop(wanted.why, facts);
  }
}

function decisionToStop(why: 'operator' | 'disabled' | 'shutdown', facts: WhyFacts): Decision {
  const { intent } = facts.status;
  switch (why) {
    case 'shutdown':
      return decision({ kind: 'daemon', reason: 'it stops everything before it ends' });
    case 'disabled':
      return enabledInFile(facts);
    case 'operator':
      return intent === null ? enabledInFile(facts) : decidedByOperator(intent, facts);
  }
}

/** The definition wants it to run; what keeps it down all the same has decided. */
function decisionToRun(facts: WhyFacts): Decision {
  const forcing = forcingIntent(facts.status);
  const state = whyStateOf(facts.status.conditions);
  if (state === 'failed' || state === 'completed') return decidedByPolicy(facts);
  if (forcing !== null) return decidedByOperator(forcing, facts);
  const trouble = facts.status.desired?.trouble;
  if (trouble?.kind !== 'held') return enabledInFile(facts);
  const at_ms = lastEventAtMs(facts, 'definition.held');
  return decision({ kind: 'brake', at_ms, reason: trouble.reason });
}

function decidedByOperator(intent: Intent, { now }: WhyFacts): Decision {
  const { actor, requestedAtMs: at_ms, reason } = intent;
  const until_ms = endsAtWallMs(intent, now);
  return decision({ kind: 'operator', actor, at_ms, until_ms, reason });
}

function decidedByPolicy(facts: WhyFacts): Decision {
  const accepted = specInForce(facts.status);
  if (accepted === null) return decision({ kind: 'policy' });
  const { policy, maxRestarts, toleranceMs } = accepted.spec.restart;
  const file = accepted.sourceFile;
  const at_ms = lastEndOf(facts.status)?.end.at.wallMs ?? null;
  if (!facts.status.history.failed) {
    const line = lineOf(facts, file, 'restart_policy.policy', 'restart_policy');
    return decision({ kind: 'policy', file, line, at_ms, reason: `policy ${policy}` });
  }
  const keys = ['max_restarts', 'duration'].map((key) => `restart_policy.tolerance.${key}`);
  const line = lineOf(facts, file, ...keys, 'restart_policy');
  const restarts = maxRestarts === 1 ? '1 restart' : `${maxRestarts} restarts`;
  const reason = `tolerance of ${restarts} in ${spokenSpan(toleranceMs)}`;
  return decision({ kind: 'policy', file, line, at_ms, reason });
}

function enabledInFile(facts: WhyFacts): Decision {
  const accepted = specInForce(facts.status);
  if (accepted === null) return decision({ kind: 'definition' });
  const { sourceFile: file, spec, generation } = accepted;
  const isWritten = isAsWritten(facts.status);
  const line = isWritten ? lineOf(facts, file, 'global.enabled') : null;
  const isDefault = isWritten && line === null && facts.linesByFile.get(file)?.size !== 0;
  const reason = `global.enabled is ${spec.enabled}${isDefault ? ' by default' : ''}`;
  const accepting = facts.events.findLast(
    ({ kind, data }) => kind === 'definition.accepted' && data.generation === generation,
  );
  return decision({ kind: 'definition', file, line, at_ms: accepting?.atMs ?? null, reason });
}

function removal(facts: WhyFacts, reason: string): Decision {
  const file = specInForce(facts.status)?.sourceFile ?? null;
  const at_ms = lastEventAtMs(facts, 'definition.removed');
  return decision({ kind: 'definition', file, at_ms, reason });
}

function neverValid(facts: WhyFacts): Decision {
  const trouble = facts.status.desired?.trouble ?? null;
  switch (trouble?.kind) {
    case 'invalid': {
      const [{ file, line }] = trouble.problems;
      const at_ms = lastEventAtMs(facts, 'definition.invalid');
      return decision({ kind: 'definition', file, line, at_ms, reason: 'it is not valid' });
    }
    case 'conflict': {
      const at_ms = lastEventAtMs(facts, 'definition.conflict');
      const file = trouble.files[0] ?? null;
      return decision({ kind: 'definition', file, at_ms, reason: 'it is not the only one' });
    }
    case 'held':
    case undefined:
      return decision({ kind: 'definition' });
  }
}

/** The operator's request that overrules `global.enabled: false`. */
function forcingIntent({ intent, desired }: ServiceStatus): Intent | null {
  const isForced = intent?.want === 'run' && intent.forced;
  return isForced && desired?.accepted?.spec.enabled === false ? intent : null;
}

function decision(known: Partial<Decision> & Pick<Decision, 'kind'>): Decision {
  return {
    file: null,
    line: null,
    actor: null,
    at_ms: null,
    until_ms: null,
    reason: null,
    ...known,
  };
}
