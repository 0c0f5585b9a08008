import { describe, expect, it } from 'vitest';
import { desiredWarnings } from '../../src/api/desired-warnings.ts';
import { reportUpdate } from '../../src/api/update-report.ts';
import type { DesiredService, DesiredState, Problem, Trouble } from '../../src/model/desired.ts';
import { accepted, desired, name, WEB } from '../builders/specs.ts';

const DB = name('db');
const problem: Problem = {
  file: '/c/x.yaml',
  line: 2,
  column: 3,
  keyPath: 'process',
  message: 'no',
};
const brake = { source: 'config:/c', reason: 'cannot read /c', heldNames: [WEB] } as const;

function state(
  services: readonly DesiredService[],
  rest: Partial<DesiredState> = {},
): DesiredState {
  const byName = new Map(services.map((service) => [service.name, service]));
  return { services: byName, strayProblems: [], brakes: [], ...rest };
}
const web = (generation: number) => desired(accepted({}, generation));
const db = desired(accepted({ name: DB }));
const inTrouble = (trouble: Trouble, of: DesiredService = web(1)) => ({ ...of, trouble });

describe('an update', () => {
  it('of nothing reports nothing', () => {
    expect(reportUpdate(state([db, web(1)]), state([db, web(1)]))).toEqual({
      accepted: [],
      changed: [],
      removed: [],
      problems: [],
      conflicts: [],
      brakes: [],
      contents: [],
    });
  });

  it('tells new, changed and removed services apart', () => {
    expect(reportUpdate(state([db]), state([db, web(1)]))).toMatchObject({
      accepted: [WEB],
      changed: [],
    });
    expect(reportUpdate(state([web(1)]), state([web(2)]))).toMatchObject({
      accepted: [],
      changed: [WEB],
    });
    expect(reportUpdate(state([db, web(1)]), state([web(1)]))).toMatchObject({
      removed: [DB],
      changed: [],
    });
  });

  it('does not call a service new that never had a good definition, but does once it has one', () => {
    const broken = {
      ...web(1),
      accepted: null,
      trouble: { kind: 'invalid', problems: [problem] },
    } as const;
    expect(reportUpdate(state([]), state([broken]))).toMatchObject({
      accepted: [],
      problems: [problem],
    });
    expect(reportUpdate(state([broken]), state([web(1)]))).toMatchObject({
      accepted: [WEB],
      problems: [],
    });
  });

  it('names all that is wrong, whether it is new or not', () => {
    const invalid = inTrouble({ kind: 'invalid', problems: [problem] });
    const twice = inTrouble({ kind: 'conflict', files: ['/a', '/b'] }, db);
    const now = state([invalid, twice], { strayProblems: [problem], brakes: [brake] });
    expect(reportUpdate(now, now)).toMatchObject({
      problems: [problem, problem],
      conflicts: [{ name: DB, files: ['/a', '/b'] }],
      brakes: [brake],
    });
  });
});

describe('the warnings about all definitions together', () => {
  it.each([
    [{}, []],
    [
      { brakes: [brake] },
      ['cannot read /c; 1 service is kept as it was (pmctl update --prune lets go)'],
    ],
    [
      { brakes: [{ ...brake, heldNames: [WEB, DB] }] },
      ['cannot read /c; 2 services are kept as they were (pmctl update --prune lets go)'],
    ],
    [{ brakes: [{ ...brake, heldNames: [] }] }, ['cannot read /c']],
    [{ strayProblems: [problem] }, ['/c/x.yaml:2:3: process: no']],
  ])('of %j are %j', (rest, expected) => {
    expect(desiredWarnings(state([], rest))).toEqual(expected);
  });
});
