import { expect, test } from 'vitest';
import { desiredWarnings } from '../../src/api/desired-warnings.ts';
import { showDiff } from '../../src/api/diff.ts';
import type { SourcesDiff } from '../../src/api/ports.ts';
import { contract } from '../../src/rpc/contract.ts';
import { name, WEB } from '../builders/specs.ts';
import { MemoryDaemon } from './api-rig.ts';

const DIFF: SourcesDiff = {
  changes: [
    {
      name: WEB,
      kind: 'restart',
      runs: true,
      file: '/c/web.yaml',
      generationBefore: 3,
      generationAfter: 4,
      fields: [
        {
          path: 'process.nice',
          keys: ['process', 'nice'],
          class: 'restart',
          before: '0',
          after: '5',
          line: 7,
        },
      ],
    },
  ],
  unchanged: 2,
  problems: [{ file: '/c/a.yaml', line: 1, column: 2, keyPath: 'process', message: 'no' }],
  conflicts: [{ name: name('twin'), files: ['/c/a.yaml', '/c/b.yaml'] }],
  brakes: [{ source: 'config:/c', reason: 'gone', heldNames: [name('x')] }],
};

test('a diff is what the contract says, and asks for what it was asked', async () => {
  const asked: unknown[] = [];
  const diffSources = async (options: unknown) => {
    asked.push(options);
    return DIFF;
  };
  const files = [{ file: '/tmp/web.yaml', text: 'process: {}' }];
  const ports = new MemoryDaemon().ports({ diffSources });
  const result = await showDiff(ports, { prune: true, files });

  expect(asked).toEqual([{ prune: true, files }]);
  expect(contract['sources.diff'].result.parse(result)).toEqual(result);
  expect(result).toMatchObject({
    changes: [{ generation_before: 3, generation_after: 4, fields: [{ line: 7 }] }],
    problems: [{ key_path: 'process' }],
    brakes: [{ held: ['x'] }],
  });
});

test.for([
  [[], []],
  [[WEB], ['1 change is pending: pmctl diff shows it, pmctl update applies it']],
  [[WEB, name('db')], ['2 changes are pending: pmctl diff shows them, pmctl update applies them']],
] as const)('changes of %j that wait are counted', ([waitingNames, warnings]) => {
  const state = { services: new Map(), strayProblems: [], brakes: [], waitingNames };
  expect(desiredWarnings(state)).toEqual(warnings);
});
