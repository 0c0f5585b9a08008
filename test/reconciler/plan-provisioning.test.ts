import { describe, expect, it } from 'vitest';
import { applyFact, type Fact } from '../../src/model/fact.ts';
import { EMPTY_HISTORY, type History, type ProvisioningFailure } from '../../src/model/history.ts';
import type { ProvisioningObservation } from '../../src/model/observation.ts';
import { phaseOf } from '../../src/model/status.ts';
import { plan } from '../../src/reconciler/plan.ts';
import { settle } from '../../src/reconciler/settle.ts';
import type { PlanInput } from '../../src/reconciler/situation.ts';
import {
  absent,
  activeHistory,
  at,
  empty,
  endedHistory,
  exited,
  intent,
  running,
  unreadable,
} from '../builders/situations.ts';
import { accepted, desired, entry } from '../builders/specs.ts';

const NOW = at(10_000);
const web = accepted({ provisioning: [entry()] });
const failure: ProvisioningFailure = {
  at: at(9_000),
  message: 'entry 1 of 1: no',
  generation: 1,
  intentId: 0,
  failures: 1,
  nextTryMonotonicMs: at(12_000).monotonicMs,
};
const failed = (changes: Partial<ProvisioningFailure> = {}): History => ({
  ...EMPTY_HISTORY,
  provisioning: { ...failure, ...changes },
});

function summary(
  provisioning: ProvisioningObservation,
  { observation = absent, ...input }: Partial<PlanInput> = {},
) {
  const planned = plan(
    {
      desired: desired(web),
      intent: null,
      observation: { ...observation, provisioning },
      environment: null,
      history: EMPTY_HISTORY,
      shuttingDown: false,
      hostId: 'host',
      ...input,
    },
    NOW,
  );
  return [
    phaseOf(planned.conditions),
    planned.actions.map(({ kind }) => kind).join(),
    planned.requeueAfterMs,
    planned.conditions.map(({ type }) => type).join(),
  ];
}

const up = { observation: running(100), history: activeHistory() };

describe('a start', () => {
  it.each<[string, ReturnType<typeof summary>, ReturnType<typeof summary>]>([
    ['needs no marker without entries', summary('none'), ['STARTING', 'start', null, 'Starting']],
    ['happens with the marker', summary('done'), ['STARTING', 'start', null, 'Starting']],
    [
      'happens with the marker of other entries, which is said',
      summary('outdated'),
      ['STARTING', 'start', null, 'Starting,ProvisioningOutdated'],
    ],
    [
      'waits for the provisioning, which it begins',
      summary('due'),
      ['STARTING', 'provision', null, 'Provisioning'],
    ],
    [
      'waits for the end of the provisioning',
      summary('running'),
      ['STARTING', '', 1_000, 'Provisioning'],
    ],
    [
      'tidies up first',
      summary('due', { observation: empty }),
      ['STARTING', 'remove-cgroup,provision', null, 'Provisioning'],
    ],
    [
      'waits out the delay after a failure',
      summary('due', { history: failed() }),
      ['BACKOFF', '', 2_000, 'ProvisioningFailed'],
    ],
    [
      'tries again when the delay is over',
      summary('due', { history: failed({ nextTryMonotonicMs: NOW.monotonicMs }) }),
      ['STARTING', 'provision', null, 'Provisioning'],
    ],
    [
      'tries again at once with a new definition',
      summary('due', { history: failed({ generation: 0 }) }),
      ['STARTING', 'provision', null, 'Provisioning'],
    ],
    [
      'tries again at once when an operator starts it',
      summary('due', { history: failed(), intent: intent({ id: 1 }) }),
      ['STARTING', 'provision', null, 'Provisioning'],
    ],
    [
      'does not try again for a start that it has failed for',
      summary('due', { history: failed({ intentId: 1 }), intent: intent({ id: 1 }) }),
      ['BACKOFF', '', 2_000, 'ProvisioningFailed'],
    ],
    [
      'is not prepared while it waits for its own backoff',
      summary('due', {
        history: endedHistory(exited(1), { nextStartMonotonicMs: at(11_000).monotonicMs }),
      }),
      ['BACKOFF', '', 1_000, 'Backoff'],
    ],
    [
      'that an operator forbids prepares nothing',
      summary('due', { intent: intent({ want: 'stop' }) }),
      ['STOPPED', '', null, 'StoppedByOperator'],
    ],
    [
      'of a disabled service prepares nothing',
      summary('due', { desired: desired(accepted({ enabled: false, provisioning: [entry()] })) }),
      ['DISABLED', '', null, 'Disabled'],
    ],
  ])('%s', (_title, actual, wanted) => {
    expect(actual).toEqual(wanted);
  });
});

describe('a service that runs', () => {
  it.each<[string, ReturnType<typeof summary>, ReturnType<typeof summary>]>([
    ['is looked at for its marker', summary('done', up), ['RUNNING', '', 30_000, 'Populated']],
    ['has none to be looked at for', summary('none', up), ['RUNNING', '', null, 'Populated']],
    [
      'is provisioned again when its marker is gone',
      summary('due', up),
      ['RUNNING', 'provision', null, 'Populated,Provisioning'],
    ],
    [
      'runs on when that fails',
      summary('due', { ...up, history: activeHistory({ provisioning: failure }) }),
      ['RUNNING', '', 2_000, 'Populated,ProvisioningFailed'],
    ],
    [
      'is told of entries that were not applied',
      summary('outdated', up),
      ['RUNNING', '', 30_000, 'Populated,ProvisioningOutdated'],
    ],
    [
      'is stopped all the same while that goes on',
      summary('running', { ...up, intent: intent({ want: 'stop' }) }),
      ['STOPPING', 'signal', 5_000, 'Populated,Stopping,StoppedByOperator'],
    ],
    [
      'is not provisioned once nothing defines it',
      summary('due', { ...up, desired: null }),
      ['STOPPING', 'signal', 5_000, 'Populated,Stopping,Removed'],
    ],
  ])('%s', (_title, actual, wanted) => {
    expect(actual).toEqual(wanted);
  });
});

describe('a failure to provision', () => {
  const told: Fact = {
    kind: 'provisioning-failed',
    at: at(9_000),
    message: 'no',
    generation: 1,
    intentId: 0,
  };
  const settled = (history: History, provisioning: ProvisioningObservation, observation = absent) =>
    settle(
      {
        desired: desired(web),
        intent: null,
        observation: { ...observation, provisioning },
        environment: null,
        history: { ...history, clearedByGeneration: 1 },
      },
      NOW,
      0.5,
    ).provisioning;

  it('counts up for the same definition and start, and begins anew for others', () => {
    const once = applyFact(EMPTY_HISTORY, told);
    const twice = applyFact(once, told);
    expect(once.provisioning).toEqual({
      at: at(9_000),
      message: 'no',
      generation: 1,
      intentId: 0,
      failures: 1,
      nextTryMonotonicMs: null,
    });
    expect(twice.provisioning?.failures).toBe(2);
    expect(applyFact(twice, { ...told, generation: 2 }).provisioning?.failures).toBe(1);
    expect(applyFact(twice, { ...told, intentId: 7 }).provisioning?.failures).toBe(1);
  });

  it('waits like a failed start: the base, doubling', () => {
    const delays = [1, 2, 3].map((failures) => {
      const due = settled(failed({ failures, nextTryMonotonicMs: null }), 'due');
      return (due?.nextTryMonotonicMs ?? 0) - failure.at.monotonicMs;
    });
    expect(delays).toEqual([1_000, 2_000, 4_000]);
  });

  it('counts no restart', () => {
    const { restartsMonotonicMs, failed: isFailed } = applyFact(EMPTY_HISTORY, told);
    expect([restartsMonotonicMs, isFailed]).toEqual([[], false]);
  });

  it.each<[ProvisioningObservation, boolean]>([
    ['none', true],
    ['done', true],
    ['outdated', true],
    ['due', false],
    ['running', false],
  ])('where provisioning is %s: is it over? %s', (provisioning, isOver) => {
    expect(settled(failed(), provisioning)).toEqual(isOver ? null : failure);
    expect(settled(failed(), provisioning, unreadable)).toEqual(isOver ? null : failure);
  });

  it('is forgotten when an operator asks for another try', () => {
    const asked: Fact = { kind: 'provisioning-requested' };
    expect(applyFact(failed(), asked).provisioning).toBeNull();
    expect(applyFact(EMPTY_HISTORY, asked)).toBe(EMPTY_HISTORY);
  });
});
