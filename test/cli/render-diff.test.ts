import { describe, expect, it } from 'vitest';
import { exitCodeOfDiff, renderDiff } from '../../src/cli/render-diff.ts';
import type { ResultOf } from '../../src/rpc/contract.ts';

type Diff = ResultOf<'sources.diff'>;
type Change = Diff['changes'][number];

const PLAIN = { columns: 80, colours: false };
const NOTHING: Diff = { changes: [], unchanged: 3, problems: [], conflicts: [], brakes: [] };
const PROBLEM = { file: '/c/a.yaml', line: 3, column: 5, key_path: '', message: 'no' };
const CONFLICT = { name: 'twin', files: ['/c/a.yaml', '/c/b.yaml'] };

function change(name: string, kind: Change['kind'], changes: Partial<Change> = {}): Change {
  const file = `/c/${name}.yaml`;
  const generations = { generation_before: 3, generation_after: 4 };
  return { name, kind, runs: true, file, ...generations, fields: [], ...changes };
}

function field(changes: Partial<Change['fields'][number]>): Change['fields'][number] {
  return { path: 'process.nice', class: 'restart', before: '0', after: '5', line: 7, ...changes };
}

describe('a diff as text', () => {
  it('is a block a service, and how many of each kind', () => {
    const fields = [
      field({}),
      field({ path: 'process.user', before: null, after: '"www"', line: null }),
      field({ path: 'process.group', before: '"www"', after: null, line: null }),
      field({ path: 'process.environment[KEY]', before: '***', after: '***', line: 9 }),
    ];
    const changes = [
      change('fresh', 'start', { runs: false, generation_before: null, generation_after: 1 }),
      change('lived', 'live', { runs: false }),
      change('off', 'live', { runs: false, generation_before: null, generation_after: 1 }),
      change('old', 'remove', { generation_after: null }),
      change('web', 'restart', { fields }),
    ];
    expect(renderDiff({ ...NOTHING, changes }, PLAIN)).toBe(
      `fresh  start  (/c/fresh.yaml, new)
lived  live  (/c/lived.yaml, generation 3 → 4, not running)
off  live  (/c/off.yaml, new, not running)
old  remove  (/c/old.yaml, generation 3, running)
web  restart  (/c/web.yaml, generation 3 → 4)
  process.nice: 0 → 5   web.yaml:7
  process.user: (none) → "www"   default
  process.group: "www" → (none)
  process.environment[KEY]: *** (changed)   web.yaml:9
1 remove, 1 restart, 2 live, 1 start; 3 unchanged
`,
    );
  });

  it('says that there is nothing, and what is wrong', () => {
    expect(renderDiff(NOTHING, PLAIN)).toBe('nothing is pending; 3 unchanged\n');
    const wrong = { ...NOTHING, problems: [PROBLEM], conflicts: [CONFLICT] };
    expect(renderDiff(wrong, PLAIN)).toBe(
      'nothing is pending; 3 unchanged, 1 invalid, 1 defined more than once\n',
    );
  });

  it('cannot be used to write to a terminal', () => {
    const hostile = change('web', 'restart', {
      file: '/c/\x1b[2J.yaml',
      fields: [field({ after: '"\u009b2J\n"' })],
    });
    const text = renderDiff({ ...NOTHING, changes: [hostile] }, PLAIN);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\x1b\u009b]/);
    expect(text.split('\n')).toHaveLength(4);
  });

  it('has colours where they are wanted', () => {
    const changes = [change('web', 'restart')];
    const text = renderDiff({ ...NOTHING, changes }, { ...PLAIN, colours: true });
    expect(text).toContain('\x1b[33mrestart\x1b[0m');
  });

  it.each<[Partial<Diff>, boolean, number]>([
    [{}, true, 0],
    [{ changes: [change('web', 'live')] }, false, 0],
    [{ changes: [change('web', 'live')] }, true, 10],
    [{ changes: [change('web', 'live')], problems: [PROBLEM] }, true, 9],
    [{ conflicts: [CONFLICT] }, false, 9],
  ])('with %j and --exit-code %j ends with %i', (changes, tells, code) => {
    expect(exitCodeOfDiff({ ...NOTHING, ...changes }, tells)).toBe(code);
  });
});
