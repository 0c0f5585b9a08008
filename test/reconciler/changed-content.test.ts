import { describe, expect, it } from 'vitest';
import type { History } from '../../src/model/history.ts';
import { phaseOf } from '../../src/model/status.ts';
import { plan } from '../../src/reconciler/plan.ts';
import { settle } from '../../src/reconciler/settle.ts';
import type { PlanInput } from '../../src/reconciler/situation.ts';
import {
  absent,
  activeHistory,
  at,
  digest,
  endedHistory,
  exited,
  readingOf,
  run,
  running,
  unreadableEnvironment,
} from '../builders/situations.ts';
import { accepted, desired } from '../builders/specs.ts';

const startedWith = run({ environmentDigest: digest('old') });

function planned(input: Partial<PlanInput>) {
  const { actions, conditions } = plan(
    {
      desired: desired(),
      intent: null,
      observation: running(100),
      environment: readingOf('old'),
      history: activeHistory({ run: startedWith }),
      shuttingDown: false,
      hostId: 'host',
      ...input,
    },
    at(10_000),
  );
  const said = conditions.map(({ type, message }) => `${type}: ${message}`);
  return {
    phase: phaseOf(conditions),
    actions: actions.map(({ kind }) => kind),
    said: said.join(),
  };
}

describe('a service that runs', () => {
  it.each<readonly [string, Partial<PlanInput>]>([
    ['as long as its files say the same', {}],
    ['when nobody has looked at them yet', { environment: null }],
    [
      'when it is not known what it was started with',
      { environment: readingOf('new'), history: activeHistory({ run: run() }) },
    ],
    [
      'when they were hashed with another key',
      { environment: readingOf('new', { keyId: 'other' }) },
    ],
    [
      'when they were looked at for another definition',
      { environment: readingOf('new', { restartHash: 'hash-2' }) },
    ],
  ])('runs on %s, and there is nothing to say', (_, input) => {
    expect(planned(input)).toEqual({
      phase: 'RUNNING',
      actions: [],
      said: 'Populated: 1 process',
    });
  });

  it('is stopped, to be started anew, when one says something else', () => {
    const { phase, actions, said } = planned({ environment: readingOf('new') });
    expect([phase, actions]).toEqual(['STOPPING', ['signal']]);
    expect(said).toContain(
      'Stopping: process.environment[TOKEN]: content of @file:///run/token changed',
    );
  });

  it('waits with that for pmctl update where changes do', () => {
    const { phase, actions, said } = planned({ environment: readingOf('new', { waits: true }) });
    expect([phase, actions]).toEqual(['RUNNING', []]);
    expect(said).toMatch(/ChangePending: .*content of @file:.*pmctl update/);
  });

  it('says once that a change waits', () => {
    const waiting = { ...desired(), waiting: 'changed' } as const;
    const environment = readingOf('new', { waits: true });
    expect(planned({ desired: waiting, environment }).said.match(/ChangePending/g)).toHaveLength(1);
  });

  it('runs on when they cannot be read any more, and says so', () => {
    const { phase, actions, said } = planned({ environment: unreadableEnvironment });
    expect([phase, actions]).toEqual(['RUNNING', []]);
    expect(said).toMatch(/EnvironmentUnreadable: it runs on .*cannot make the environment: gone/);
  });

  it('does not speak of them when they were looked at for another definition', () => {
    const environment = { ...unreadableEnvironment, restartHash: 'hash-2' };
    expect(planned({ environment }).said).not.toContain('EnvironmentUnreadable');
  });
});

describe('a service that its policy leaves down', () => {
  it('is tried again after a failure when its files say something else, or can be read again', () => {
    const never = desired(accepted({ restart: { policy: 'never' } }));
    const history = endedHistory(exited(1), { run: startedWith });
    const input = { desired: never, observation: absent, history };
    expect(planned(input).actions).toEqual([]);
    expect(planned({ ...input, environment: readingOf('new') }).actions).toEqual(['start']);
    const waiting = readingOf('new', { waits: true });
    expect(planned({ ...input, environment: waiting }).actions).toEqual([]);

    const unread = { kind: 'launch_failed', stage: 'environment', message: 'gone' } as const;
    const unreadable = { ...input, history: endedHistory(unread) };
    expect(planned({ ...unreadable, environment: unreadableEnvironment }).actions).toEqual([]);
    const { actions, said } = planned(unreadable);
    expect(actions).toEqual(['start']);
    expect(said).toContain('its environment can be read again after gone');
  });
});

describe('what a run was started with', () => {
  const settled = (input: Partial<PlanInput>) =>
    settle(
      {
        desired: desired(),
        intent: null,
        observation: running(100),
        environment: readingOf('now'),
        history: activeHistory({ run: run() }),
        ...input,
      },
      at(10_000),
      0.5,
    );

  it('is taken for what is there now when it is not known', () => {
    expect(settled({}).run?.environmentDigest).toEqual(digest('now'));
    const ofLostKey = activeHistory({ run: run({ environmentDigest: digest('old', 'lost') }) });
    expect(settled({ history: ofLostKey }).run?.environmentDigest).toEqual(digest('now'));
  });

  it('stays as it is when it is known, or nothing is known now', () => {
    const known = activeHistory({ run: startedWith });
    expect(settled({ history: known })).toBe(known);
    const history = activeHistory({ run: run() });
    expect(settled({ history, environment: unreadableEnvironment })).toBe(history);
    expect(settled({ history, environment: readingOf('x', { restartHash: 'y' }) })).toBe(history);
  });
});

describe('a service that has failed', () => {
  const unread = { kind: 'launch_failed', stage: 'environment', message: 'gone' } as const;
  const settled = (history: History, environment: PlanInput['environment']) =>
    settle(
      { desired: desired(), intent: null, observation: absent, environment, history },
      at(10_000),
      0.5,
    ).failed;

  it('gets another chance when its files can be read again, or say something else', () => {
    expect(settled(endedHistory(unread, { failed: true }), readingOf('any'))).toBe(false);
    const crashed = endedHistory(exited(1), { failed: true, run: startedWith });
    expect(settled(crashed, readingOf('new'))).toBe(false);
  });

  it('stays so otherwise', () => {
    expect(settled(endedHistory(unread, { failed: true }), unreadableEnvironment)).toBe(true);
    expect(settled(endedHistory(unread, { failed: true }), null)).toBe(true);
    const crashed = endedHistory(exited(1), { failed: true, run: startedWith });
    expect(settled(crashed, readingOf('old'))).toBe(true);
    expect(settled(crashed, readingOf('new', { waits: true }))).toBe(true);
  });
});
