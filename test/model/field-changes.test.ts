import { describe, expect, it } from 'vitest';
import { fieldChanges, tellingFields } from '../../src/model/field-changes.ts';
import type { FieldChange } from '../../src/model/service-change.ts';
import { spec } from '../builders/specs.ts';

type Changes = Parameters<typeof spec>[0];

function changes(before: Changes, after: Changes): readonly string[] {
  return fieldChanges(spec(before), spec(after)).map(line);
}

function line({ path, class: fieldClass, before, after }: FieldChange): string {
  return `${path} ${fieldClass}: ${before} → ${after}`;
}

describe('the changed fields of a spec', () => {
  it.each<[string, Changes, Changes, readonly string[]]>([
    ['nothing', {}, {}, []],
    [
      'a command, as JSON',
      { startCommand: ['a'] },
      { startCommand: ['a', 'b c'] },
      ['process.start_command restart: ["a"] → ["a","b c"]'],
    ],
    [
      'a key set for the first time',
      {},
      { user: 'nobody' },
      ['process.user restart: null → "nobody"'],
    ],
    [
      'labels one by one',
      { labels: { a: '1', b: '2', c: '3' } },
      { labels: { a: '1', b: '5', d: '4' } },
      ['labels.b live: "2" → "5"', 'labels.c live: "3" → null', 'labels.d live: null → "4"'],
    ],
    [
      'variables one by one, secrets masked',
      { environment: [env('A', '1'), env('API_KEY', 'x')] },
      { environment: [env('A', '2'), env('API_KEY', 'y'), env('TOKEN', 'z')] },
      [
        'process.environment[A] restart: "1" → "2"',
        'process.environment[API_KEY] restart: *** → ***',
        'process.environment[TOKEN] restart: null → ***',
      ],
    ],
    [
      'limits one by one',
      { limits: [limit('nofile', 1, 1), limit('core', 0, null)] },
      { limits: [limit('nofile', 2, 2), limit('nproc', null, null), limit('core', 0, null)] },
      ['process.limits.nofile restart: 1 → 2', 'process.limits.nproc restart: null → "unlimited"'],
    ],
    [
      'a stop signal',
      {},
      { stop: { kind: 'signal', signal: 'SIGINT' } },
      ['process.stop_signal live: "SIGTERM" → "SIGINT"'],
    ],
    [
      'a stop command in the place of a signal',
      {},
      { stop: { kind: 'command', argv: ['./stop'] } },
      [
        'process.stop_signal live: "SIGTERM" → null',
        'process.stop_command live: null → ["./stop"]',
      ],
    ],
    ['a mask in octal', {}, { umask: 0o77 }, ['process.umask restart: 0022 → 0077']],
    [
      'a duration with its unit, where the key has none',
      {},
      { restart: { toleranceMs: 1_000 } },
      ['restart_policy.tolerance.duration live: 180000ms → 1000ms'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(changes(before, after)).toEqual(expected);
  });

  it('know where they are in the file', () => {
    const after = spec({ environment: [env('A', '1')], limits: [limit('core', 1, 2)], nice: 1 });
    expect(fieldChanges(spec(), after).map(({ keys }) => keys)).toEqual([
      ['process', 'environment', 'A', 'value'],
      ['process', 'nice'],
      ['process', 'limits', 'core'],
    ]);
  });

  it('are told of a spec that an earlier build kept without a field', () => {
    const { environment: _, ...older } = spec();
    const after = spec({ environment: [env('A', '1')] });
    expect(fieldChanges(older as typeof after, after).map(line)).toEqual([
      'process.environment[A] restart: null → "1"',
    ]);
  });

  it('of a new service are what it runs, where and as whom', () => {
    expect(tellingFields(spec({ user: 'www', nice: 5 })).map(line)).toEqual([
      'process.working_directory restart: null → "/srv/web"',
      'process.start_command restart: null → ["./run.sh"]',
      'process.user restart: null → "www"',
    ]);
  });
});

function env(name: string, value: string) {
  return { name, value };
}

function limit(name: string, soft: number | null, hard: number | null) {
  return { name, soft, hard };
}
