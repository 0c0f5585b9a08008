import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadOperatorState, strayFlagNames } from '../../src/daemon/operator-state.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { ServiceEvent } from '../../src/model/event.ts';
import { desired, name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const DB = name('db');
const services = new Map([[WEB, desired()]]);
const complete = { services, strayProblems: [], brakes: [] };
const problem = { file: '/c/x.yaml', line: 1, column: 1, keyPath: '', message: 'no' };

test.for([
  ['are complete', complete, [DB]],
  ['are none at all', { ...complete, services: new Map() }, []],
  ['hold one without a name', { ...complete, strayProblems: [problem] }, []],
  [
    'are held by a brake',
    { ...complete, brakes: [{ source: 'config:/c', reason: '', heldNames: [] }] },
    [],
  ],
] as const)('where definitions %s, flags of %j are forgotten', ([, state, names]) => {
  expect(strayFlagNames([WEB, DB], state)).toEqual(names);
});

test('what operators said is told to a journal that had to begin anew', () => {
  const directory = mkdtempSync(join(tmpdir(), 'operators-'));
  const clock = new FakeClock();
  const options = { maxAgeMs: 1e9, maxBytes: 1e9, clock };
  const journal = Journal.open(directory, options);
  onTestFinished(() => {
    journal.close();
    rmSync(directory, { recursive: true });
  });
  const emitted: ServiceEvent[] = [];
  const state = loadOperatorState({
    ...{ journal, clock, bootId: 'boot' },
    emit: (event) => emitted.push(event),
  });
  state.watch();
  state.intents.record(WEB, {
    want: 'stop',
    forced: false,
    restart: false,
    actor: 'ann',
    reason: null,
    forMs: null,
  });
  const flag = { name: 'seen', expiresAtMs: clock.wallMs() + 60_000, setAtMs: 0, actor: 'ann' };
  state.flags.save(WEB, [flag]);

  // The damage shows with the next page that is read, in the log as in the file.
  for (const end of ['', '-wal']) {
    writeFileSync(join(directory, `journal.sqlite${end}`), 'garbage '.repeat(40_000));
  }
  journal.close();
  journal.events({ limit: 1 });

  const boot2 = loadOperatorState({ journal, clock, bootId: 'boot', emit: () => {} });
  expect(emitted).toMatchObject([
    { kind: 'journal.warning', message: expect.stringContaining('journal.sqlite.corrupt-1') },
  ]);
  expect(boot2.intents.get(WEB)).toMatchObject({ want: 'stop', actor: 'ann' });
  expect(boot2.flags.of(WEB)).toEqual([flag]);
  clock.advance(60_000);
  expect(emitted[1]).toMatchObject({ kind: 'flag.expired', service: 'web', actor: 'supervisor' });
  state.flags.close();
});
