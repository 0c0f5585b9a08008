import { expect, test } from 'vitest';
import { renderHistory, renderNext } from '../../src/cli/render-jobs.ts';
import type { JobHistoryRow } from '../../src/rpc/job-rows.ts';
import { NOON, view } from './rows.ts';

const MINUTE_MS = 60_000;

function row(changes: Partial<JobHistoryRow> = {}): JobHistoryRow {
  return {
    ...{ application: 'backup', slot_ms: NOON, last_slot_ms: NOON, slots: 1 },
    ...{ outcome: 'ok', reason: null, run: 7, tries: 1, cpu_ms: 340, peak_memory_bytes: 1_572_864 },
    ...{ started_at_ms: NOON, ended_at_ms: NOON + 12_345, duration_ms: 12_345 },
    exit: { kind: 'exited', code: 0, signal: null, message: 'exit code 0' },
    ...changes,
  };
}

const unmeasured = { cpu_ms: null, peak_memory_bytes: null };
const nothing = { ...unmeasured, run: null, tries: 0, duration_ms: null };

test('history shows each slot with its outcome, and leaves blank what is not known', () => {
  const rows = [
    row(),
    row({ slot_ms: NOON + MINUTE_MS, last_slot_ms: NOON + MINUTE_MS, tries: 3, cpu_ms: null }),
    row({ slot_ms: null, outcome: 'failed', peak_memory_bytes: null }),
    row({ ...nothing, outcome: 'skipped', reason: 'run 7 was still there', exit: null }),
    row({
      ...nothing,
      outcome: 'missed',
      last_slot_ms: NOON + 5 * MINUTE_MS,
      slots: 6,
      exit: null,
    }),
    row({ outcome: null, exit: null, ended_at_ms: null, duration_ms: null, ...unmeasured }),
    row({ outcome: null, ...unmeasured }),
  ];
  expect(renderHistory(rows, view()).split('\n')).toEqual([
    'JOB     SLOT                                            OUTCOME         RUN  TOOK     CPU  PEAK MEMORY  EXIT',
    'backup  2026-01-15 12:00:00                             ok                7   12s  0.340s      1.5 MiB  exit code 0',
    'backup  2026-01-15 12:01:00                             ok        7 (try 3)   12s              1.5 MiB  exit code 0',
    'backup  by hand 2026-01-15 12:00:00                     failed            7   12s  0.340s               exit code 0',
    'backup  2026-01-15 12:00:00                             skipped                                         run 7 was still there',
    'backup  2026-01-15 12:00:00 to 2026-01-15 12:05:00 (6)  missed',
    'backup  2026-01-15 12:00:00                             running           7',
    'backup  2026-01-15 12:00:00                             retrying          7   12s                       exit code 0',
    '',
  ]);
  expect(renderHistory([], view())).toBe('no slot and no run is recorded\n');
});

test('next shows when each slot begins, and what is against it', () => {
  const rows = [
    { application: 'backup', slot_ms: NOON, start_ms: NOON, blocked: null },
    { application: 'mail', slot_ms: NOON, start_ms: NOON + 90_000, blocked: null },
    { application: 'off', slot_ms: NOON, start_ms: NOON, blocked: 'global.enabled is false' },
  ];
  expect(renderNext(rows, NOON - 2 * MINUTE_MS, view()).split('\n')).toEqual([
    'JOB     SLOT                    IN  BEGINS',
    'backup  2026-01-15 12:00:00     2m  at its slot',
    'mail    2026-01-15 12:00:00  3m30s  2026-01-15 12:01:30',
    'off     2026-01-15 12:00:00     2m  not run: global.enabled is false',
    '',
  ]);
  expect(renderNext([], NOON, view())).toBe('no slot is to come\n');
});
