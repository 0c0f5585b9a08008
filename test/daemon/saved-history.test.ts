import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SavedHistories } from '../../src/daemon/saved-history.ts';
import { HistoryFiles } from '../../src/journal/history-files.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import {
  activeHistory,
  endedHistory,
  exited,
  progress,
  run,
  slot,
} from '../builders/situations.ts';
import { name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const DB = name('db');

function world() {
  const root = mkdtempSync(join(tmpdir(), 'saved-'));
  const clock = new FakeClock();
  const journal = Journal.open(join(root, 'state'), { maxAgeMs: 1e9, maxBytes: 1e9, clock });
  const services = join(root, 'services');
  const told: (string | null)[] = [];
  const open = (bootId = 'boot') =>
    new SavedHistories({
      files: new HistoryFiles({ directory: services, onTrouble: (text) => told.push(text) }),
      onTrouble: (reason) => told.push(reason),
      onSlots: () => {},
      ...{ journal, bootId, clock },
    });
  onTestFinished(() => {
    journal.close();
    rmSync(root, { recursive: true });
  });
  /** What is written to the folder of the services fails from now on. */
  const obstruct = () => {
    rmSync(services, { recursive: true, force: true });
    writeFileSync(services, 'in the way');
  };
  const clear = () => rmSync(services);
  return { clock, journal, services, told, open, obstruct, clear };
}

test('a history is there for the next daemon of the same boot, and for no other', () => {
  const { open, told } = world();
  open().save(WEB, activeHistory());
  expect(open().load(WEB)).toEqual(activeHistory());
  expect([...open().loadAll().keys()]).toEqual([WEB]);
  expect(open('next boot').loadAll().size).toBe(0);
  expect(open('next boot').load(WEB)).toMatchObject({ lastRunNumber: 1, run: null });
  expect(told).toEqual([]);
});

test('what changes of jobs is written once in a while, a few at a time, or when it is asked for', () => {
  const { clock, open } = world();
  const histories = open();
  const names = Array.from({ length: 40 }, (_, index) => name(`web-${index}`));
  for (const each of names) histories.save(each, activeHistory({ job: progress() }));
  histories.flush(DB);
  expect(open().loadAll().size).toBe(0);
  histories.flush(name('web-39'));
  expect([...open().loadAll().keys()]).toEqual(['web-39']);
  clock.advance(249);
  expect(open().loadAll().size).toBe(1);
  clock.advance(1);
  expect(open().loadAll().size).toBe(40);
  expect(clock.nextTimerMs()).toBeNull();
});

test('who waits until a service is written down hears of it, not before', async () => {
  const { clock, open, obstruct, clear } = world();
  const histories = open();
  const heard: string[] = [];
  const hear = (each: ServiceName) => histories.written(each).then(() => heard.push(each));
  obstruct();
  histories.save(WEB, activeHistory({ job: progress() }));
  void hear(WEB);
  void hear(DB);
  clock.advance(500);
  await Promise.resolve();
  expect(heard).toEqual([DB]);
  clear();
  clock.advance(1_000);
  await Promise.resolve();
  expect(heard).toEqual([DB, WEB]);
});

test('the beginning and the end of a run are recorded once', () => {
  const { open, journal } = world();
  const histories = open();
  histories.save(WEB, activeHistory());
  histories.save(WEB, activeHistory({ consecutiveFailures: 1 }));
  histories.save(WEB, endedHistory(exited(3)));
  expect(journal.runs(WEB, 9)).toMatchObject([{ run: 1, exit: { kind: 'exited', code: 3 } }]);
});

test('what cannot be written harms nobody, is told of once, and is written when it can be', () => {
  const { clock, open, told, obstruct, clear } = world();
  const histories = open();
  obstruct();
  histories.save(WEB, activeHistory());
  histories.save(DB, activeHistory());
  histories.save(WEB, activeHistory({ run: run({ reason: 'the newest' }) }));
  clock.advance(5_000);
  expect(told).toEqual([expect.stringMatching(/^cannot record what runs: .*services/)]);
  expect(histories.trouble).toBe(told[0]);

  clear();
  clock.advance(1_000);

  expect(told.slice(1)).toEqual([null]);
  expect([histories.trouble, clock.nextTimerMs()]).toEqual([null, null]);
  expect(open().load(WEB).run?.reason).toBe('the newest');
  expect(open().loadAll().size).toBe(2);
});

test('a service that is forgotten meanwhile is not written', () => {
  const { clock, services, open, obstruct, clear } = world();
  const histories = open();
  obstruct();
  histories.save(WEB, activeHistory());
  clear();
  mkdirSync(services);
  histories.remove(WEB);
  clock.advance(1_000);
  expect([open().loadAll().size, histories.trouble]).toEqual([0, null]);
});

test('what waits is written at the end, if that is possible', () => {
  const { clock, open, obstruct, clear } = world();
  const histories = open();
  obstruct();
  histories.save(WEB, activeHistory());
  clear();
  histories.close();
  expect(open().loadAll().size).toBe(1);
  expect(clock.nextTimerMs()).toBeNull();
});

test('how far a job is outlives the boot, and each of its slots is told with its last outcome', () => {
  const { open, journal } = world();
  const histories = open();
  const current = slot({ slotMs: 60_000, run: 1 });
  histories.save(WEB, activeHistory({ job: progress({ current }) }));
  const all = { sinceMs: 0, failedOnly: false, limit: 9 };
  expect(journal.jobHistory(all)).toMatchObject([{ slotMs: 60_000, outcome: null, run: 1 }]);
  const over = {
    ...{ current: null, last: { ...current, outcome: 'ok' } as const },
    lastRun: { run: 1, slotMs: 60_000, outcome: 'ok', atMs: 5 } as const,
  };
  const ended = endedHistory(exited(0), { job: progress(over) });
  const usage = { cpuMs: 12, peakMemoryBytes: null };
  histories.save(WEB, { ...ended, runEnd: ended.runEnd && { ...ended.runEnd, usage } });
  expect(journal.jobHistory(all)).toMatchObject([
    { slotMs: 60_000, outcome: 'ok', exit: { kind: 'exited', code: 0 }, cpuMs: 12 },
  ]);
  expect(open('next boot').load(WEB)).toMatchObject({ run: null, job: over });

  histories.remove(WEB);
  expect(open().load(WEB).job).toEqual(progress(over));
  histories.forgetJob(WEB);
  expect(open().load(WEB).job).toBeNull();
  expect(journal.jobHistory(all)).toHaveLength(1);
});

test('what waits for a time of this boot is not waited for in the next one', () => {
  const { open } = world();
  const job = progress({ retryAtMonotonicMs: 9, heldUntilMonotonicMs: 9, overtimeRun: 1 });
  const histories = open();
  histories.save(WEB, activeHistory({ job }));
  histories.flush(WEB);
  expect(open().load(WEB).job).toEqual(job);
  expect(open('next boot').load(WEB).job).toEqual({
    ...job,
    ...{ retryAtMonotonicMs: null, heldUntilMonotonicMs: null, overtimeRun: null },
  });
});
