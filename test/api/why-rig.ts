import type { WhyFacts } from '../../src/api/why-facts.ts';
import type { DesiredService, Trouble } from '../../src/model/desired.ts';
import { intentInForce } from '../../src/model/intent.ts';
import { type Condition, phaseOf } from '../../src/model/status.ts';
import { plan } from '../../src/reconciler/plan.ts';
import type { PlanInput } from '../../src/reconciler/situation.ts';
import { absent, activeHistory, at } from '../builders/situations.ts';
import { desired, WEB } from '../builders/specs.ts';

export const FILE = '/etc/pm/config.d/web.yaml';

/** Where the file of the builders' spec writes its keys. */
const LINES: WhyFacts['linesByFile'] = new Map([
  [
    FILE,
    new Map([
      ['application', 1],
      ['global.enabled', 3],
      ['process', 4],
      ['process.working_directory', 5],
      ['process.start_command', 6],
      ['restart_policy', 8],
      ['restart_policy.policy', 9],
      ['restart_policy.tolerance.max_restarts', 11],
      ['provisioning', 12],
    ]),
  ],
]);

export const invalid: Trouble = {
  kind: 'invalid',
  problems: [
    { file: FILE, line: 7, column: 5, keyPath: 'process.nice', message: 'expected a number' },
    { file: FILE, line: 9, column: 1, keyPath: '', message: 'unknown key' },
  ],
};
export const conflict: Trouble = { kind: 'conflict', files: ['/c/a.yaml', '/c/b.yaml'] };
export const held: Trouble & { readonly kind: 'held' } = {
  kind: 'held',
  source: 'config:/etc/pm/config.d',
  reason: "5 definitions were gone at once from '/etc/pm/config.d'",
};
/** A service with a definition in force that is in trouble now. */
export const troubled = (trouble: Trouble): DesiredService => ({ ...desired(), trouble });
/** One that never had a valid definition. */
export const never = (trouble: Trouble): DesiredService => ({ ...desired(null), trouble });

/** What is so `ms` after {@link at}`(0)`: the conditions are what a pass would find. */
export function factsAt(
  ms: number,
  situation: Partial<PlanInput>,
  rest: Partial<WhyFacts> = {},
  ...more: readonly Condition[]
): WhyFacts {
  const now = at(ms);
  const input: PlanInput = {
    desired: desired(),
    intent: null,
    observation: absent,
    environment: null,
    history: activeHistory(),
    shuttingDown: false,
    hostId: 'host',
    ...situation,
  };
  const intent = intentInForce(input.intent, now.monotonicMs);
  const conditions = [...plan({ ...input, intent }, now).conditions, ...more];
  return {
    status: {
      name: WEB,
      phase: phaseOf(conditions),
      conditions,
      desired: input.desired,
      intent,
      history: input.history,
      cgroup: input.observation.cgroup,
    },
    now,
    shuttingDown: input.shuttingDown,
    events: [],
    runs: [],
    processes: [],
    linesByFile: LINES,
    nextLookMs: null,
    stderr: null,
    ...rest,
  };
}
