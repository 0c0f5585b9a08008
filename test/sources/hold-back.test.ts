import { describe, expect, it } from 'vitest';
import type { DesiredService, DesiredState } from '../../src/model/desired.ts';
import { holdBack } from '../../src/sources/hold-back.ts';
import { accepted, desired, name, WEB } from '../builders/specs.ts';

const FIRST = accepted();
const SECOND = accepted({}, 2);
const BROKEN = {
  kind: 'invalid',
  problems: [{ file: '/c/web.yaml', line: 1, column: 1, keyPath: '', message: 'broken' }],
} as const;

function state(...services: readonly DesiredService[]): DesiredState {
  return {
    services: new Map(services.map((service) => [service.name, service])),
    strayProblems: [],
    brakes: [],
  };
}

const nobody = () => false;

describe('changes that wait', () => {
  it.each<[string, DesiredState, DesiredState, DesiredService | undefined, boolean]>([
    [
      'a changed spec stays as it is in force, and says so',
      state(desired(FIRST)),
      state(desired(SECOND)),
      { ...desired(FIRST), waiting: 'changed' },
      true,
    ],
    [
      'a removed definition stays in force, and says so',
      state(desired(FIRST)),
      state(),
      { ...desired(FIRST), waiting: 'removed' },
      true,
    ],
    ['a new definition is not yet a service', state(), state(desired(FIRST)), undefined, true],
    [
      'one that was never valid and is now is new',
      state({ name: WEB, accepted: null, trouble: BROKEN }),
      state(desired(FIRST)),
      undefined,
      true,
    ],
    [
      'what is in force as it is waits for nothing',
      state(desired(FIRST)),
      state(desired(FIRST)),
      desired(FIRST),
      false,
    ],
    [
      'a change taken back waits no more',
      state({ ...desired(FIRST), waiting: 'changed' }),
      state(desired(FIRST)),
      desired(FIRST),
      false,
    ],
    [
      'a file that is only renamed is taken over',
      state(desired(FIRST)),
      state(desired({ ...FIRST, sourceFile: '/c/other.yaml' })),
      desired({ ...FIRST, sourceFile: '/c/other.yaml' }),
      false,
    ],
    [
      'a definition that broke is told at once',
      state(desired(FIRST)),
      state({ ...desired(FIRST), trouble: BROKEN }),
      { ...desired(FIRST), trouble: BROKEN },
      false,
    ],
    [
      'a new one that is broken is told at once',
      state(),
      state({ name: WEB, accepted: null, trouble: BROKEN }),
      { name: WEB, accepted: null, trouble: BROKEN },
      false,
    ],
    [
      'a broken file that is gone is gone',
      state({ name: WEB, accepted: null, trouble: BROKEN }),
      state(),
      undefined,
      false,
    ],
  ])('%s', (_, inForce, candidate, expected, waits) => {
    const held = holdBack(inForce, candidate, nobody);
    expect(held.services.get(WEB)).toEqual(expected);
    expect(held.waitingNames).toEqual(waits ? [WEB] : undefined);
  });

  it('are applied for the services that are named, and only for them', () => {
    const other = name('other');
    const before = state(desired(FIRST));
    const candidate = state(desired(SECOND), desired(accepted({ name: other })));
    const held = holdBack(before, candidate, (each) => each === other);
    expect([...held.services.keys()]).toEqual([other, WEB]);
    expect(held.services.get(other)).toEqual(candidate.services.get(other));
    expect(held.waitingNames).toEqual([WEB]);
  });

  it('do not hide what is wrong with a source or a file without a name', () => {
    const brakes = [{ source: 'config:/c', reason: 'gone', heldNames: [] }] as const;
    const candidate = { ...state(), brakes, strayProblems: BROKEN.problems };
    expect(holdBack(state(), candidate, nobody)).toEqual(candidate);
  });
});
