import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { slot } from '../builders/situations.ts';
import { name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const DB = name('db');
const ALL = { sinceMs: 0, failedOnly: false, limit: 100 };

function world() {
  const directory = mkdtempSync(join(tmpdir(), 'pm-slots-'));
  const clock = new FakeClock();
  const open = () => Journal.open(directory, { maxAgeMs: 1_000_000, maxBytes: 1e9, clock });
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, clock, open };
}

function begun(journal: Journal, run: number, slotMs: number | null): void {
  journal.recordRunStarted(WEB, run, 1_000 * run, 'slot');
  journal.recordJobRun({
    ...{ service: WEB, run, slotMs, outcome: null, cpuMs: null, peakMemoryBytes: null },
  });
}

function ended(journal: Journal, run: number, slotMs: number | null): void {
  journal.recordRunEnded(WEB, run, 1_000 * run + 500, { kind: 'exited', code: 0 });
  journal.recordJobRun({
    ...{ service: WEB, run, slotMs, outcome: 'ok', cpuMs: 12, peakMemoryBytes: null },
  });
}

test('a slot is on the disk when it is said to be, and has its last outcome', async () => {
  const { directory, open } = world();
  const journal = open();
  onTestFinished(() => journal.close());
  journal.recordSlots(WEB, [slot({ slotMs: 60_000, run: null, tries: 0 })]);
  await journal.written();
  const other = new DatabaseSync(join(directory, 'journal.sqlite'), { readOnly: true });
  expect(other.prepare('SELECT slot_ms, outcome FROM slots').all()).toEqual([
    { slot_ms: 60_000, outcome: null },
  ]);
  other.close();
  begun(journal, 3, 60_000);
  ended(journal, 3, 60_000);
  journal.recordSlots(WEB, [slot({ slotMs: 60_000, run: 3, outcome: 'ok' })]);
  expect(journal.jobHistory(ALL)).toEqual([
    {
      ...{
        service: WEB,
        slotMs: 60_000,
        lastSlotMs: 60_000,
        slots: 1,
        outcome: 'ok',
        reason: null,
      },
      ...{ run: 3, tries: 1, startedAtMs: 3_000, endedAtMs: 3_500, cpuMs: 12 },
      ...{ exit: { kind: 'exited', code: 0 }, peakMemoryBytes: null },
    },
  ]);
});

test('who waits is not left waiting when the journal cannot be written', async () => {
  const { directory, open } = world();
  const journal = open();
  onTestFinished(() => journal.close());
  const holder = new DatabaseSync(join(directory, 'journal.sqlite'));
  onTestFinished(() => holder.close());
  holder.exec('BEGIN EXCLUSIVE');
  journal.recordSlots(WEB, [slot({ slotMs: 60_000 })]);
  await journal.written();
  expect(journal.health.ok).toBe(false);
});

test('history is of one job or of all, of what failed or of everything, with runs for no slot', () => {
  const { open } = world();
  const journal = open();
  onTestFinished(() => journal.close());
  journal.recordSlots(WEB, [slot({ slotMs: 60_000, outcome: 'failed', run: 1 })]);
  journal.recordSlots(DB, [slot({ slotMs: 120_000, outcome: 'missed', run: null })]);
  journal.recordSlots(WEB, [slot({ slotMs: 180_000, outcome: 'skipped', run: null })]);
  journal.recordRunStarted(WEB, 2, 150_000, 'requested by local');
  journal.recordJobRun({
    ...{ service: WEB, run: 2, slotMs: null, outcome: 'ok', cpuMs: 1, peakMemoryBytes: 2 },
  });
  const told = (query: Partial<Parameters<Journal['jobHistory']>[0]>) =>
    journal.jobHistory({ ...ALL, ...query }).map(({ service, outcome }) => `${service} ${outcome}`);
  expect(told({})).toEqual(['web failed', 'db missed', 'web ok', 'web skipped']);
  expect(told({ service: WEB })).toEqual(['web failed', 'web ok', 'web skipped']);
  expect(told({ failedOnly: true })).toEqual(['web failed', 'db missed']);
  expect(told({ sinceMs: 130_000 })).toEqual(['web ok', 'web skipped']);
  expect(told({ limit: 2 })).toEqual(['web ok', 'web skipped']);
});

test('how far a job is outlives the daemon, until it is forgotten', () => {
  const { open } = world();
  const first = open();
  first.saveProgress(WEB, { doneUntilMs: 7 });
  expect(first.loadProgress(WEB)).toEqual({ doneUntilMs: 7 });
  first.close();
  const second = open();
  expect(second.loadProgress(WEB)).toEqual({ doneUntilMs: 7 });
  second.saveProgress(WEB, null);
  expect(second.loadProgress(WEB)).toBeNull();
  second.close();
  const third = open();
  onTestFinished(() => third.close());
  expect(third.loadProgress(WEB)).toBeNull();
  expect(third.loadProgress(DB)).toBeNull();
});

test('what is too old is removed, but for the newest slot and what is still being run', () => {
  const { open } = world();
  const journal = open();
  onTestFinished(() => journal.close());
  for (const slotMs of [1_000, 2_000, 3_000]) {
    journal.recordSlots(WEB, [slot({ slotMs, outcome: 'ok', run: slotMs / 1_000 })]);
    begun(journal, slotMs / 1_000, slotMs);
    ended(journal, slotMs / 1_000, slotMs);
  }
  journal.recordSlots(DB, [slot({ slotMs: 1_000 }), slot({ slotMs: 2_000, outcome: 'ok' })]);
  journal.prune(2_000_000_000);
  const left = journal.jobHistory(ALL).map(({ service, slotMs }) => [service, slotMs]);
  expect(left).toEqual([
    ['db', 1_000],
    ['db', 2_000],
    ['web', 3_000],
  ]);
});
