import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpecsInForce } from '../../src/daemon/specs-in-force.ts';
import { Journal } from '../../src/journal/journal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { adoptedState } from '../../src/model/desired.ts';
import type { History } from '../../src/model/history.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import type { AcceptedSpec } from '../../src/model/service-spec.ts';
import { activeHistory, run, stopProgress } from '../builders/situations.ts';
import { accepted, name, WEB } from '../builders/specs.ts';

const NO_RUNS = new Map<ServiceName, History>();
const SECOND = accepted({ nice: 5 }, 2);

describe('the specs in force', () => {
  let directory: string;
  let journal: Journal;
  const open = () => {
    const options = { maxAgeMs: 1e9, maxBytes: 1e8, clock: systemClock };
    journal = Journal.open(directory, options);
    return new SpecsInForce(journal);
  };
  /** Keeps each in turn, then ends the daemon. */
  const keep = (...states: readonly (readonly AcceptedSpec[])[]) => {
    const specs = open();
    specs.inherit(NO_RUNS);
    for (const state of states) {
      specs.keep(adoptedState(new Map(state.map((each) => [each.spec.name, each]))));
    }
    journal.close();
  };
  const inherit = (histories = NO_RUNS) => open().inherit(histories);
  const running = (acceptedSpec: AcceptedSpec, changes: Partial<History> = {}) =>
    new Map([[WEB, activeHistory({ run: run({ accepted: acceptedSpec }), ...changes })]]);
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pm-specs-'));
  });
  afterEach(() => {
    journal.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('are all of them unknown at the first start ever, and never again', () => {
    expect(inherit()).toEqual({ baseline: new Map(), unknown: 'all' });
    journal.close();
    keep([]);
    expect(inherit()).toEqual({ baseline: new Map(), unknown: new Set() });
  });

  it('are inherited as they were kept last', () => {
    const db = accepted({ name: name('db') }, 7);
    keep([accepted(), db], [SECOND, db]);
    expect(inherit()).toEqual({
      baseline: new Map([
        [WEB, SECOND],
        [name('db'), db],
      ]),
      unknown: new Set(),
    });
  });

  it('are forgotten with their definitions', () => {
    keep([accepted()], []);
    expect(inherit().baseline).toEqual(new Map());
  });

  it('follow a file that was renamed', () => {
    keep([accepted()], [{ ...accepted(), sourceFile: '/c/other.yaml' }]);
    expect(inherit().baseline.get(WEB)?.sourceFile).toBe('/c/other.yaml');
  });

  it('are those of runs where the journal has older ones or none', () => {
    expect(inherit(running(SECOND))).toEqual({
      baseline: new Map([[WEB, SECOND]]),
      unknown: new Set(),
    });
    journal.close();
    keep([accepted()]);
    expect(inherit(running(SECOND)).baseline.get(WEB)).toEqual(SECOND);
    expect(inherit(running(accepted({}, 1, 'older'))).baseline.get(WEB)).toEqual(accepted());
  });

  it('are not those of a run that is only being ended', () => {
    keep([]);
    expect(inherit(running(SECOND, { stop: stopProgress() })).baseline).toEqual(new Map());
    expect(inherit(running(SECOND)).baseline).toEqual(new Map([[WEB, SECOND]]));
  });

  it('are unknown where another build kept them, or they are damaged', () => {
    keep([accepted(), accepted({ name: name('db') }), accepted({ name: name('api') })]);
    const database = new DatabaseSync(join(directory, 'journal.sqlite'));
    database.exec(`UPDATE specs SET accepted = '{"shape":"other"}' WHERE name = 'web'`);
    database.exec(`UPDATE specs SET accepted = 'no JSON' WHERE name = 'db'`);
    database.close();
    const { baseline, unknown } = inherit();
    expect([...baseline.keys()]).toEqual(['api']);
    expect(unknown).toEqual(new Set(['db', 'web']));
    // What still runs tells.
    expect(inherit(running(SECOND)).unknown).toEqual(new Set(['db']));
  });

  it('are kept again, all of them, once a damaged journal was set aside', () => {
    const many = Array.from({ length: 300 }, (_, at) => accepted({ name: name(`s${at}`) }));
    keep(many);
    const specs = open();
    specs.inherit(NO_RUNS);
    const file = join(directory, 'journal.sqlite');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0xff, 4_096));
    const changed = many.map((each, at) => (at === 150 ? { ...each, generation: 2 } : each));
    const state = adoptedState(new Map(changed.map((each) => [each.spec.name, each])));
    specs.keep(state);
    expect([journal.health.ok, journal.setAside.length]).toEqual([true, 1]);
    specs.keep(state);
    journal.close();
    const inherited = inherit();
    expect(inherited.unknown).toEqual(new Set());
    expect(inherited.baseline).toEqual(new Map(changed.map((each) => [each.spec.name, each])));
  });

  it('are written in one go, and only when something changed', () => {
    const many = Array.from({ length: 1_000 }, (_, at) => accepted({ name: name(`s${at}`) }));
    const specs = open();
    specs.inherit(NO_RUNS);
    const state = adoptedState(new Map(many.map((each) => [each.spec.name, each])));
    specs.keep(state);
    const begun = performance.now();
    expect(journal.health.ok).toBe(true);
    const tookMs = performance.now() - begun;
    expect(tookMs).toBeLessThan(1_000);
    journal.close();
    const watched = new DatabaseSync(join(directory, 'journal.sqlite'), { readOnly: true });
    const version = () => watched.prepare('PRAGMA data_version').get();
    const next = open();
    next.inherit(NO_RUNS);
    const before = version();
    next.keep(state);
    expect([journal.health.ok, version()]).toEqual([true, before]);
    next.keep(adoptedState(new Map([[WEB, accepted()]])));
    expect([journal.health.ok, version()]).not.toEqual([true, before]);
    watched.close();
  });
});
