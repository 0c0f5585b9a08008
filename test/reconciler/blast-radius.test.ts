import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/model/action.ts';
import type { DesiredService, DesiredState } from '../../src/model/desired.ts';
import type { ConditionType } from '../../src/model/status.ts';
import { blastRadius, type Outlook } from '../../src/reconciler/blast-radius.ts';
import { accepted, desired, WEB } from '../builders/specs.ts';

const FIRST = accepted();
const RESTARTS = accepted({ nice: 5 }, 2);
const LIVE = accepted({ description: 'new' }, 2, FIRST.restartHash);

const START: Action = {
  kind: 'start',
  accepted: RESTARTS,
  runNumber: 2,
  intentId: 0,
  reason: 'it is enabled',
};

function state(service: DesiredService | null): DesiredState {
  const services = new Map(service === null ? [] : [[service.name, service] as const]);
  return { services, strayProblems: [], brakes: [] };
}

function outlook(runs: boolean, actions: readonly Action[], ...types: ConditionType[]): Outlook {
  const conditions = types.map((type) => ({ type, message: '' }));
  return { runs, actions, conditions, changedContent: [] };
}

const running = (...types: ConditionType[]) => outlook(true, [], 'Populated', ...types);
const stopped = (...types: ConditionType[]) => outlook(false, [], ...types);

describe('what an update would do to a service', () => {
  it.each<[string, DesiredService | null, DesiredService | null, Outlook, string | undefined]>([
    ['start one that is new', null, desired(FIRST), outlook(false, [START], 'Starting'), 'start'],
    [
      'start one that had failed',
      desired(FIRST),
      desired(RESTARTS),
      outlook(false, [START]),
      'start',
    ],
    ['restart one that runs', desired(FIRST), desired(RESTARTS), running('Stopping'), 'restart'],
    [
      'restart one whose state cannot be read',
      desired(FIRST),
      desired(RESTARTS),
      outlook(true, [], 'Unknown'),
      'restart',
    ],
    ['touch no process for live fields', desired(FIRST), desired(LIVE), running(), 'live'],
    ['not be why a stop goes on', desired(FIRST), desired(LIVE), running('Stopping'), 'live'],
    [
      'leave one down that an operator stopped',
      desired(FIRST),
      desired(RESTARTS),
      stopped('StoppedByOperator'),
      'live',
    ],
    ['not start a new one that is disabled', null, desired(FIRST), stopped('Disabled'), 'live'],
    [
      'stop one that is disabled by now',
      desired(FIRST),
      desired(RESTARTS),
      running('Stopping', 'Disabled'),
      'stop',
    ],
    ['remove one that is gone', desired(FIRST), null, running('Stopping', 'Removed'), 'remove'],
    ['nothing to one that stays', desired(FIRST), desired(FIRST), running(), undefined],
    [
      'nothing to one that broke',
      desired(FIRST),
      { ...desired(FIRST), trouble: { kind: 'conflict', files: [] } },
      running(),
      undefined,
    ],
    [
      'nothing to a broken one that goes',
      { name: WEB, accepted: null, trouble: null },
      null,
      stopped(),
      undefined,
    ],
  ])('%s', (_, before, after, foreseen, kind) => {
    const changes = blastRadius(state(before), state(after), () => foreseen);
    expect(changes.map((change) => change.kind)).toEqual(kind === undefined ? [] : [kind]);
  });

  it('says which file, which generations and which fields', () => {
    const after = desired({ ...RESTARTS, sourceFile: '/c/new.yaml' });
    expect(blastRadius(state(desired(FIRST)), state(after), () => running('Stopping'))).toEqual([
      {
        name: WEB,
        kind: 'restart',
        runs: true,
        file: '/c/new.yaml',
        generationBefore: 1,
        generationAfter: 2,
        fields: [
          {
            path: 'process.nice',
            keys: ['process', 'nice'],
            class: 'restart',
            before: '0',
            after: '5',
          },
        ],
      },
    ]);
    expect(blastRadius(state(desired(FIRST)), state(null), () => running())).toMatchObject([
      { file: FIRST.sourceFile, generationBefore: 1, generationAfter: null, fields: [] },
    ]);
  });

  it('looks only at services that change', () => {
    const never = () => {
      throw new Error('it was looked at');
    };
    expect(blastRadius(state(desired(FIRST)), state(desired(FIRST)), never)).toEqual([]);
  });

  it('tells of a file that an environment is made from, and nothing of what it says', () => {
    const environment = [{ name: 'TOKEN', value: '@file:///run/token' }];
    const service = desired(accepted({ environment }));
    const changedContent = [
      { path: 'process.environment[TOKEN]', reference: '@file:///run/token' },
      { path: 'process.env_file', reference: '/srv/web/.env' },
    ];
    const radius = (foreseen: Outlook) =>
      blastRadius(state(service), state(service), () => foreseen);
    expect(radius(running())).toEqual([]);
    const changed = { ...running('Stopping'), changedContent };
    const unseen = { class: 'restart', before: '***', after: '***' };
    expect(radius(changed)).toMatchObject([
      {
        kind: 'restart',
        fields: [
          { keys: ['process', 'environment', 'TOKEN', 'value'], ...unseen },
          { path: 'process.env_file', keys: ['process', 'env_file'], ...unseen },
        ],
      },
    ]);
  });
});
