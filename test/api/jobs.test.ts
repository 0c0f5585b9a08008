import { expect, test } from 'vitest';
import { showHistory, showNext } from '../../src/api/job-history.ts';
import { readRunOutput, runJob } from '../../src/api/run-job.ts';
import { BEGINNING } from '../../src/log-reader/log-position.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import {
  activeHistory,
  endedHistory,
  exited,
  intent,
  progress,
  run,
} from '../builders/situations.ts';
import { accepted, desired, job, name } from '../builders/specs.ts';
import { caller, condition, MemoryDaemon, status } from './api-rig.ts';

const JOB = name('report');
const scheduled = condition('Scheduled', 'next slot 12:00');

function reports(changes: Parameters<typeof job>[0] = {}, rest: { enabled?: boolean } = {}) {
  const spec = accepted({ name: JOB, job: job(changes), ...rest });
  const history = { ...EMPTY_HISTORY, job: progress() };
  return status('report', [scheduled], { desired: desired(spec), history });
}

const iso = (ms: number) => new Date(ms).toISOString().slice(5, 16);
const all = { name: null, since_ms: null, failed: false, limit: 10 };

test('the slots to come are those within the bounds, each with its jitter', () => {
  const bounds = { notBefore: '2026-01-15 14:00:00', notAfter: '2026-01-15 16:59:59' };
  const daemon = new MemoryDaemon(reports({ ...bounds, jitterMs: 600_000 }), status('web'));
  const { slots } = showNext(daemon.ports(), { name: 'report', limit: 10 });
  expect(slots.map(({ slot_ms }) => iso(slot_ms))).toEqual([
    ...['01-15T14:00', '01-15T15:00', '01-15T16:00'],
  ]);
  const offsets = new Set(slots.map(({ slot_ms, start_ms }) => start_ms - slot_ms));
  expect(offsets.size).toBe(1);
  expect([...offsets][0]).toBeGreaterThan(0);
  expect(showNext(daemon.ports(), { name: null, limit: 2 }).slots).toEqual(slots.slice(0, 2));
});

test('slots that will not be run as things are say why', () => {
  const stopped = { ...reports(), intent: intent({ want: 'stop', reason: 'new disk' }) };
  for (const [one, why] of [
    [stopped, 'stopped by local: new disk'],
    [reports({}, { enabled: false }), 'global.enabled is false'],
    [reports(), null],
  ] as const) {
    const { slots } = showNext(new MemoryDaemon(one).ports(), { name: 'report', limit: 1 });
    expect(slots).toMatchObject([{ blocked: why }]);
  }
});

test('a service has no slots, and an unknown one neither slots nor history', () => {
  const ports = new MemoryDaemon(status('web')).ports();
  expect(() => showNext(ports, { name: 'web', limit: 1 })).toThrow('it is no job');
  expect(() => showNext(ports, { name: 'wed', limit: 1 })).toThrow("did you mean 'web'");
  expect(() => showHistory(ports, { ...all, name: 'wed' })).toThrow("did you mean 'web'");
  expect(showHistory(ports, { ...all, name: 'web' })).toEqual({ slots: [] });
});

test('a run is told to have begun when there is one after the request', async () => {
  const daemon = new MemoryDaemon(reports());
  daemon.onIntent = (asked, before) => {
    const begun = run({ number: 4, intentId: asked.id });
    daemon.show({ ...before, intent: asked, history: activeHistory({ run: begun }) });
  };
  const at = { ...BEGINNING, inode: 7, offset: 8 };
  const ports = daemon.ports({ logStart: async () => at });
  const params = { name: 'report', force: false };
  expect(await runJob(ports, params, caller())).toEqual({ run: 4, positions: [at, at] });
});

test('a run is refused when a stop comes first, or it cannot be provisioned', async () => {
  const params = { name: 'report', force: false };
  const stopped = new MemoryDaemon(reports());
  stopped.onIntent = (asked, before) =>
    stopped.show({ ...before, intent: intent({ id: asked.id + 1, want: 'stop' }) });
  await expect(runJob(stopped.ports(), params, caller())).rejects.toThrow('stopped by local');
  const unready = new MemoryDaemon(reports());
  unready.onIntent = (asked, before) =>
    unready.show({
      ...before,
      ...{ intent: asked, conditions: [condition('ProvisioningFailed', 'no such user')] },
    });
  await expect(runJob(unready.ports(), params, caller())).rejects.toThrow('no such user');
});

test('a run is over when its cgroup is gone, and its exit is known later, too', async () => {
  const ended = { ...reports(), history: endedHistory(exited(3)) };
  const daemon = new MemoryDaemon({ ...ended, cgroup: { kind: 'empty' } });
  const read = (number: number) =>
    readRunOutput(daemon.ports(), { name: 'report', run: number, positions: [] });
  expect(await read(1)).toMatchObject({ over: false, exit: null });
  daemon.show(ended);
  expect(await read(1)).toMatchObject({ over: true, exit: { code: 3 } });
  daemon.runs = [{ run: 0, startedAtMs: 1, endedAtMs: 2, exit: exited(4), reason: 'slot' }];
  expect(await read(0)).toMatchObject({ over: true, exit: { code: 4 } });
  await expect(read(9)).rejects.toThrow("cannot find run 9 of 'report'");
});
