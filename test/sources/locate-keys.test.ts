import { describe, expect, it } from 'vitest';
import { locateIn, locateKeys } from '../../src/sources/locate-keys.ts';

const TEXT = `process:
  start_command:
    - sleep
  environment:
    - {name: A, value: 1}
    - name: B
      value: two
  limits: {nofile: 5}
labels:
  tier: db
`;

describe('the line of a key', () => {
  it.each<[string, readonly string[], number | null]>([
    ['of a plain value', ['labels', 'tier'], 10],
    ['of a list: its first item', ['process', 'start_command'], 3],
    ['of an entry by its name', ['process', 'environment', 'B', 'value'], 7],
    ['in a map on one line', ['process', 'limits', 'nofile'], 8],
    ['of an entry that is not there', ['process', 'environment', 'C', 'value'], null],
    ['of a key that is not there', ['process', 'nice'], null],
    ['below a value that is no map', ['labels', 'tier', 'x'], null],
    ['of what only objects have', ['process', 'constructor'], null],
  ])('%s', (_, path, line) => {
    expect(locateIn('/c/web.yaml', Buffer.from(TEXT), [path])).toEqual([line]);
  });

  it('is not known of a file that cannot be read or is no YAML', () => {
    expect(locateKeys('/no/such/file.yaml', [['process']])).toEqual([null]);
    expect(locateIn('/c/web.yaml', Buffer.from([0]), [['process']])).toEqual([null]);
  });
});
