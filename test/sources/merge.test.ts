import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Definition, DesiredState, Problem, SourceContent } from '../../src/model/desired.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import type { AcceptedSpec, SourceId } from '../../src/model/service-spec.ts';
import { merge } from '../../src/sources/merge.ts';
import { accepted, name, spec } from '../builders/specs.ts';

const CONFIG: SourceId = 'config:/etc/pm/config.d';
const AUTO: SourceId = 'auto:/srv/auto';

const KEEP = { prune: false, baseline: new Map<ServiceName, AcceptedSpec>() };
const PRUNE = { ...KEEP, prune: true };

function valid(service: string, file = `/etc/pm/config.d/${service}.yaml`, nice = 0): Definition {
  return {
    kind: 'valid',
    name: name(service),
    file,
    spec: spec({ name: name(service), nice }),
    isRootsOwn: true,
  };
}

function invalid(service: string | null, file = `/etc/pm/config.d/${service}.yaml`): Definition {
  const problem: Problem = { file, line: 1, column: 1, keyPath: '', message: 'broken' };
  return {
    kind: 'invalid',
    name: service === null ? null : name(service),
    file,
    problems: [problem],
  };
}

function config(...definitions: readonly Definition[]): ReadonlyMap<SourceId, SourceContent> {
  return new Map([[CONFIG, { kind: 'read', definitions }]]);
}

const GONE: ReadonlyMap<SourceId, SourceContent> = new Map([
  [CONFIG, { kind: 'unavailable', reason: 'no such folder' }],
]);

/** Merges one content after the other. */
function merged(...contents: readonly ReadonlyMap<SourceId, SourceContent>[]): DesiredState {
  let state: DesiredState | null = null;
  for (const content of contents) state = merge(state, content, KEEP);
  if (state === null) throw new Error('nothing was merged');
  return state;
}

/** `name generation trouble`, one line a service. */
function summary({ services }: DesiredState): readonly string[] {
  return [...services.values()].map((service) => {
    const generation = service.accepted === null ? '-' : String(service.accepted.generation);
    return [service.name, generation, service.trouble?.kind].filter(Boolean).join(' ');
  });
}

const FIVE = ['a', 'b', 'c', 'd', 'e'].map((each) => valid(each));

describe('merging definitions', () => {
  it.each([
    ['a valid definition is in force', merged(config(valid('web'))), ['web 1']],
    [
      'a changed spec is the next generation',
      merged(config(valid('web')), config(valid('web', undefined, 5))),
      ['web 2'],
    ],
    [
      'a file renamed is no change of the spec',
      merged(config(valid('web')), config(valid('web', '/etc/pm/config.d/other.yaml'))),
      ['web 1'],
    ],
    ['one that never was valid is shown', merged(config(invalid('web'))), ['web - invalid']],
    [
      'one that stops being valid stays in force',
      merged(config(valid('web')), config(invalid('web'))),
      ['web 1 invalid'],
    ],
    [
      'one that is valid again, unchanged, is no new generation',
      merged(config(valid('web')), config(invalid('web')), config(valid('web'))),
      ['web 1'],
    ],
    [
      'a broken file speaks for the service it defined, whatever it is called',
      merged(config(valid('web', '/etc/pm/config.d/a.yaml')), config(invalid('a'))),
      ['web 1 invalid'],
    ],
    [
      'a broken file does not speak for a service that moved elsewhere',
      merged(
        config(valid('web', '/etc/pm/config.d/a.yaml')),
        config(invalid('a'), valid('web', '/etc/pm/config.d/b.yaml')),
      ),
      ['a - invalid', 'web 1'],
    ],
    [
      'of two new definitions of one name neither is used',
      merged(config(valid('web'), valid('web', '/etc/pm/config.d/b.yaml'))),
      ['web - conflict'],
    ],
    [
      'a second definition leaves the last good one in force',
      merged(config(valid('web')), config(valid('web', undefined, 5), valid('web', '/b.yaml'))),
      ['web 1 conflict'],
    ],
    [
      'a removed definition is gone',
      merged(config(valid('a'), valid('b')), config(valid('b'))),
      ['b 1'],
    ],
    [
      'a source that cannot be read loses nothing',
      merged(config(valid('web')), GONE),
      ['web 1 held'],
    ],
    [
      'a source that comes back complete is as before',
      merged(config(valid('web')), GONE, config(valid('web'))),
      ['web 1'],
    ],
    [
      'a source that comes back without a name still holds it',
      merged(config(valid('a'), valid('b')), GONE, config(valid('a'))),
      ['a 1', 'b 1 held'],
    ],
    [
      'half of four may go at once',
      merged(config(...FIVE.slice(0, 4)), config(...FIVE.slice(0, 2))),
      ['a 1', 'b 1'],
    ],
    [
      'more than half of four may not',
      merged(config(...FIVE.slice(0, 4)), config(...FIVE.slice(0, 1))),
      ['a 1', 'b 1 held', 'c 1 held', 'd 1 held'],
    ],
    ['all of three may', merged(config(...FIVE.slice(0, 3)), config()), []],
    [
      'a tripped brake does not let go because other services are added',
      merged(
        config(...FIVE.slice(0, 4)),
        config(),
        config(...['v', 'w', 'x', 'y', 'z'].map((each) => valid(each))),
      ),
      ['a 1 held', 'b 1 held', 'c 1 held', 'd 1 held', 'v 1', 'w 1', 'x 1', 'y 1', 'z 1'],
    ],
    [
      'a held name that returns is released',
      merged(config(...FIVE.slice(0, 4)), config(), config(valid('a'))),
      ['a 1', 'b 1 held', 'c 1 held', 'd 1 held'],
    ],
  ])('%s', (_, state, expected) => {
    expect(summary(state)).toEqual(expected);
  });

  it('names both files of a conflict, also across sources', () => {
    const state = merged(
      new Map<SourceId, SourceContent>([
        [CONFIG, { kind: 'read', definitions: [valid('web')] }],
        [AUTO, { kind: 'read', definitions: [valid('web', '/srv/auto/web/service.yml')] }],
      ]),
    );
    expect(state.services.get(name('web'))?.trouble).toEqual({
      kind: 'conflict',
      files: ['/etc/pm/config.d/web.yaml', '/srv/auto/web/service.yml'],
    });
  });

  it('lets no other source take over what an unreadable one defined', () => {
    const before = merged(config(valid('web')));
    const contents = new Map<SourceId, SourceContent>([
      ...GONE,
      [AUTO, { kind: 'read', definitions: [valid('web', '/srv/auto/web/service.yml', 5)] }],
    ]);
    expect(summary(merge(before, contents, KEEP))).toEqual(['web 1 conflict']);
    expect(summary(merge(before, contents, PRUNE))).toEqual(['web 2']);
  });

  it('takes a move to another source for no loss', () => {
    const moved = new Map<SourceId, SourceContent>([
      [CONFIG, { kind: 'read', definitions: [] }],
      [AUTO, { kind: 'read', definitions: FIVE }],
    ]);
    const state = merge(merged(config(...FIVE)), moved, KEEP);
    expect(summary(state)).toEqual(['a 1', 'b 1', 'c 1', 'd 1', 'e 1']);
    expect(state.brakes).toEqual([]);
  });

  it('records a tripped brake with what it holds, until an operator confirms', () => {
    const braked = merged(config(...FIVE), config(valid('a')));
    expect(braked.brakes).toEqual([
      {
        source: CONFIG,
        reason: `4 definitions were gone at once from '${CONFIG.slice('config:'.length)}'`,
        heldNames: ['b', 'c', 'd', 'e'],
      },
    ]);
    const confirmed = merge(braked, config(valid('a')), PRUNE);
    expect(summary(confirmed)).toEqual(['a 1']);
    expect(confirmed.brakes).toEqual([]);
  });

  it('records an unreadable source although it never defined anything', () => {
    expect(merged(GONE).brakes).toEqual([
      { source: CONFIG, reason: 'no such folder', heldNames: [] },
    ]);
  });

  it('shows wrong files without a name apart', () => {
    const state = merged(config(invalid(null, '/etc/pm/config.d/my web.yaml')));
    expect(summary(state)).toEqual([]);
    expect(state.strayProblems).toMatchObject([{ file: '/etc/pm/config.d/my web.yaml' }]);
  });

  it('goes on from the specs of adopted runs after a restart of the daemon', () => {
    const web = { ...accepted({ name: name('web') }, 7), sourceFile: '/etc/pm/config.d/web.yaml' };
    const options = { prune: false, baseline: new Map([[name('web'), web]]) };
    expect(summary(merge(null, config(valid('web')), options))).toEqual(['web 7']);
    expect(summary(merge(null, config(valid('web', undefined, 5)), options))).toEqual(['web 8']);
    expect(summary(merge(null, config(invalid('web')), options))).toEqual(['web 7 invalid']);
    expect(summary(merge(null, GONE, options))).toEqual(['web 7 held']);
    expect(summary(merge(null, config(), options))).toEqual([]);
  });

  it('brakes for adopted runs whose source is configured no more', () => {
    const baseline = new Map(
      ['a', 'b', 'c', 'd'].map((each) => [name(each), accepted({ name: name(each) })] as const),
    );
    const state = merge(null, new Map(), { prune: false, baseline });
    expect(summary(state)).toEqual(['a 1 held', 'b 1 held', 'c 1 held', 'd 1 held']);
  });
});

const definition = fc.record({
  service: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  file: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'x'),
  nice: fc.nat(1),
  isValid: fc.boolean(),
});

const content: fc.Arbitrary<SourceContent> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<SourceContent>({ kind: 'unavailable', reason: 'gone' }) },
  {
    weight: 4,
    arbitrary: fc.uniqueArray(definition, { selector: ({ file }) => file, maxLength: 7 }).map(
      (entries): SourceContent => ({
        kind: 'read',
        definitions: entries.map(({ service, file, nice, isValid }) =>
          isValid ? valid(service, `/s/${file}.yaml`, nice) : invalid(service, `/s/${file}.yaml`),
        ),
      }),
    ),
  },
);

const contents = fc.tuple(content, content).map(
  ([first, second]) =>
    new Map<SourceId, SourceContent>([
      [CONFIG, first],
      [AUTO, second],
    ]),
);

describe('merging anything', () => {
  it('changes nothing when the same content comes again', () => {
    fc.assert(
      fc.property(fc.array(contents, { minLength: 1, maxLength: 4 }), (history) => {
        const state = merged(...history);
        const last = history.at(-1) ?? new Map();
        expect(merge(state, last, KEEP)).toEqual(state);
      }),
    );
  });

  it('does not depend on the order of the sources', () => {
    fc.assert(
      fc.property(contents, contents, (first, second) => {
        const reversed = new Map([...second].reverse());
        expect(merged(first, reversed)).toEqual(merged(first, second));
      }),
    );
  });

  it('loses no service to a source that cannot be read', () => {
    fc.assert(
      fc.property(contents, (before) => {
        const state = merged(before);
        const gone: SourceContent = { kind: 'unavailable', reason: 'gone' };
        const next = merge(
          state,
          new Map<SourceId, SourceContent>([
            [CONFIG, gone],
            [AUTO, gone],
          ]),
          KEEP,
        );
        for (const [service, { accepted: spec }] of state.services) {
          if (spec !== null) expect(next.services.get(service)?.accepted).toEqual(spec);
        }
      }),
    );
  });
});
