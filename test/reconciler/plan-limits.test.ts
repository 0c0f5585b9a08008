import { expect, it } from 'vitest';
import type { AppliedResources } from '../../src/model/resources.ts';
import { UNLIMITED } from '../../src/model/resources.ts';
import { planLimits } from '../../src/reconciler/plan-limits.ts';
import { activeHistory, at, observed } from '../builders/situations.ts';
import { accepted, desired } from '../builders/specs.ts';

const HALF = { ...UNLIMITED, maxCpu: 500 };

function planned(limits: AppliedResources | null) {
  const cgroup = { kind: 'populated', pids: [1] } as const;
  const observation = observed(cgroup, { limits });
  const { actions, conditions } = planLimits({
    now: at(0),
    desired: desired(accepted({ resources: HALF })),
    wanted: { kind: 'run' },
    shuttingDown: false,
    hostId: 'host',
    intent: null,
    environment: null,
    history: activeHistory(),
    observation,
  });
  return { actions, said: conditions.map(({ type, message }) => `${type}: ${message}`) };
}

it('limits that an earlier daemon wrote, or nobody, are written again', () => {
  const reason = 'an earlier daemon wrote them';
  expect(planned(null)).toEqual({
    actions: [{ kind: 'limit', resources: HALF, reason }],
    said: [],
  });
});

it('other limits than those of the definition are changed while it runs', () => {
  const [action] = planned({ resources: UNLIMITED, refused: [] }).actions;
  expect(action).toMatchObject({
    kind: 'limit',
    resources: HALF,
    reason: 'its definition changed',
  });
});

it('what was written is not written again, refused or not, and what is not in force is told', () => {
  const refused = [
    { key: 'resources.max_cpu', isUnsupported: true, reason: 'no cpu' },
    { key: 'resources.max_pids', isUnsupported: true, reason: 'no pids' },
    { key: 'resources.max_memory', isUnsupported: false, reason: 'EINVAL' },
  ];
  expect(planned({ resources: { ...HALF }, refused })).toEqual({
    actions: [],
    said: [
      'LimitsUnsupported: not in force: resources.max_cpu: no cpu; resources.max_pids: no pids',
      'LimitRefused: not in force: resources.max_memory: EINVAL',
    ],
  });
});
