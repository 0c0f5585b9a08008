import { describe, expect, it } from 'vitest';
import { formatKeyPath } from '../../src/model/config-issue.ts';
import { daemonSchema } from '../../src/model/daemon-schema.ts';
import { masterWords, serviceWords } from '../../src/model/foreign-words.ts';
import { keyPaths } from '../../src/model/schema-keys.ts';
import { serviceSchema } from '../../src/model/service-schema.ts';
import { unknownKeyMessage } from '../../src/model/unknown-key.ts';

const VOCABULARY = { paths: keyPaths(serviceSchema), foreignWords: serviceWords() };

/** What is meant by `key` in a section, with these keys known there. */
function hint(section: readonly PropertyKey[], key: string, known = ['policy', 'tolerance']) {
  return unknownKeyMessage({ section, key, known }, VOCABULARY).replace(
    /^unknown key "[^"]*"; /,
    '',
  );
}

describe('what was meant by a key that is not known', () => {
  it.each([
    ['a misspelt key of the section', [], 'polcy', 'did you mean "policy"?'],
    ['a key of another section', [], 'nice', 'did you mean "process.nice"?'],
    ['one that is written otherwise', [], 'stopSignal', 'did you mean "process.stop_signal"?'],
    [
      'one of another section, misspelt',
      [],
      'start_comand',
      'did you mean "process.start_command"?',
    ],
    ['the word of systemd', [], 'ExecStart', 'did you mean "process.start_command"?'],
    ['the word of supervisord', [], 'autorestart', 'did you mean "restart_policy.policy"?'],
    ['the word of docker compose', ['process'], 'restart', 'did you mean "restart_policy.policy"?'],
    ['a word for a key right here', ['process'], 'cwd', 'did you mean "working_directory"?'],
    ['a deeper one', ['process'], 'LimitNOFILE', 'did you mean "process.limits.nofile"?'],
    ['nothing near', [], 'volumes', 'known here: policy, tolerance'],
    ['nothing near, and short', [], 'prt', 'known here: policy, tolerance'],
    ['what only a list knows', ['provisioning', 0], 'cwd', 'known here: policy, tolerance'],
    ['a key of the top', ['process'], 'logs', 'it belongs to the top of the file'],
    ['a path', [], 'process.nice', 'keys are nested: process: {nice: …}'],
    ['a merge', [], '<<', 'YAML 1.2 has no merge keys (write out what it should bring)'],
  ])('%s', (_what, section, key, expected) => {
    expect(hint(section, key)).toBe(expected);
  });
});

it.each([
  ['services', serviceWords(), serviceSchema],
  ['master configs', masterWords(), daemonSchema],
])(
  'the words of others for %s all stand for a key, and none is one of ours',
  (_, words, schema) => {
    const paths = keyPaths(schema).map(formatKeyPath);
    expect([...words.values()].filter((path) => !paths.includes(path))).toEqual([]);
    const top = keyPaths(schema).filter((path) => path.length === 1);
    expect([...words.keys()].filter((word) => top.flat().includes(word))).toEqual([]);
    expect(words.size).toBeGreaterThan(20);
  },
);
