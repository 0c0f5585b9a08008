import { expect, test } from 'vitest';
import { judgeRestart, judgeStart, judgeStop, type Request } from '../../src/api/verdict.ts';
import { EMPTY_HISTORY, type History } from '../../src/model/history.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { activeHistory, at, endedHistory, exited, intent, run } from '../builders/situations.ts';
import { condition, status } from './api-rig.ts';

const start = intent({ id: 7 });
const stop = intent({ id: 7, want: 'stop' });
const ASKED: Partial<Intent> = { id: 7 };

function seen(
  conditions: ServiceStatus['conditions'],
  history: History,
  changes: Partial<ServiceStatus> = {},
): ServiceStatus {
  return status('web', conditions, { history, intent: start, ...changes });
}

const pids = (...list: number[]) => ({ cgroup: { kind: 'populated', pids: list } }) as const;
const wasDown: Request = { intent: start, before: status('web') };
const oldRun = activeHistory();
const newRun = activeHistory({ run: run({ number: 2, intentId: 7 }) });
const wasUp: Request = {
  intent: start,
  before: status('web', [condition('Populated')], { history: oldRun }),
};
const stillUnaware = { intent: intent({ id: 6 }) };

test.for<[string, ServiceStatus | null, Request, unknown]>([
  [
    'a status that does not know of it',
    seen([condition('Failed')], oldRun, stillUnaware),
    wasDown,
    null,
  ],
  ['no intent at all', seen([condition('Populated')], oldRun, { intent: null }), wasUp, null],
  ['being launched', seen([condition('Starting')], newRun), wasDown, null],
  ['stopping first', seen([condition('Populated'), condition('Stopping')], oldRun), wasUp, null],
  ['not looked at since', seen([], EMPTY_HISTORY), wasDown, null],
  [
    'running',
    seen([condition('Populated')], newRun, pids(100, 101)),
    wasDown,
    { ok: true, outcome: 'done', message: 'running: run 2, pids 100, 101' },
  ],
  [
    'running all along',
    seen([condition('Populated')], oldRun, pids(100)),
    wasUp,
    { ok: true, outcome: 'unchanged', message: 'already running: run 1, pid 100' },
  ],
  [
    'many processes',
    seen([condition('Populated')], newRun, pids(1, 2, 3, 4, 5, 6, 7, 8, 9)),
    wasDown,
    { message: 'running: run 2, 9 processes' },
  ],
  [
    'backing off',
    seen([condition('Backoff', 'exit code 3; restart 1 of a series')], newRun),
    wasDown,
    { ok: false, outcome: 'failed', message: 'exit code 3; restart 1 of a series' },
  ],
  [
    'given up',
    seen([condition('Failed', 'no more restarts')], newRun),
    wasDown,
    { ok: false, outcome: 'failed', message: 'no more restarts' },
  ],
  [
    'ended as it should',
    seen([condition('Completed', 'exit code 0')], endedHistory(exited(0))),
    wasDown,
    { ok: true, outcome: 'done', message: 'ran and ended: exit code 0' },
  ],
  [
    'disabled meanwhile',
    seen([condition('Disabled', 'global.enabled is false')], EMPTY_HISTORY),
    wasDown,
    { ok: false, message: 'global.enabled is false' },
  ],
  [
    'the old run not going away',
    seen(
      [condition('Populated'), condition('Stopping'), condition('StopStuck', 'stuck: 5')],
      oldRun,
    ),
    wasUp,
    { ok: false, outcome: 'failed', message: 'stuck: 5' },
  ],
  ['forgotten', null, wasDown, { ok: false, message: 'it is no longer defined' }],
  [
    'its definition removed',
    seen([condition('Removed')], oldRun, { desired: null }),
    wasUp,
    { ok: false, message: 'it is no longer defined' },
  ],
  [
    'a stop that came later',
    seen([], oldRun, { intent: intent({ id: 8, want: 'stop', actor: 'ann' }) }),
    wasUp,
    { ok: false, message: 'superseded by a later stop (ann)' },
  ],
])('a start with %s', ([, now, request, verdict]) => {
  const judged = judgeStart(now, request);
  if (verdict === null) expect(judged).toBeNull();
  else expect(judged).toMatchObject(Object(verdict));
});

test('a restart is done only with a run that began after it', () => {
  const populated = [condition('Populated')];
  expect(judgeRestart(seen(populated, oldRun, pids(100)), wasUp)).toBeNull();
  expect(judgeRestart(seen(populated, newRun, pids(200)), wasUp)).toMatchObject({
    outcome: 'done',
    message: 'running: run 2, pid 200',
  });
  expect(judgeRestart(seen([condition('Failed', 'given up')], newRun), wasUp)).toMatchObject({
    ok: false,
    message: 'given up',
  });
});

const stopped = (killed: number, processes = 3) => ({
  requestedAt: at(0),
  reason: 'stopped by local',
  processes,
  askedAtMonotonicMs: null,
  commandFailed: false,
  killedAtMonotonicMs: null,
  killed,
});

function ended(changes: Partial<History['runEnd'] & object>): History {
  const runEnd = { at: at(9), exit: exited(0), stop: stopped(0), ...changes };
  return activeHistory({ runEnd });
}

test.for<[string, ServiceStatus | null, Request, unknown]>([
  ['a status that does not know of it', seen([], ended({}), stillUnaware), wasUp, null],
  ['processes left', seen([condition('Populated')], oldRun, pids(100)), wasUp, null],
  ['a launched process on its way in', seen([condition('Starting')], oldRun), wasUp, null],
  [
    'an unreadable cgroup',
    seen([], ended({}), { cgroup: { kind: 'unknown', reason: 'EIO' } }),
    wasUp,
    null,
  ],
  [
    'all gone by themselves',
    seen([], ended({})),
    wasUp,
    {
      ok: true,
      outcome: 'done',
      message: 'stopped: 3 processes ended by themselves, 0 killed',
      stop: { processes: 3, ended: 3, killed: 0 },
    },
  ],
  [
    'some killed',
    seen([], ended({ stop: stopped(2) }), { cgroup: { kind: 'empty' } }),
    wasUp,
    {
      message: 'stopped: 1 process ended by itself, 2 killed',
      stop: { processes: 3, ended: 1, killed: 2 },
    },
  ],
  [
    'more killed than there were at first',
    seen([], ended({ stop: stopped(5) })),
    wasUp,
    { stop: { processes: 3, ended: 0, killed: 5 } },
  ],
  [
    'an end of its own that came first',
    seen([], ended({ stop: null, exit: exited(3) })),
    wasUp,
    { outcome: 'done', message: 'ended by itself: exit code 3', stop: null },
  ],
  [
    'nothing there before',
    seen([], ended({})),
    { intent: stop, before: status('web', [], { history: ended({}) }) },
    { ok: true, outcome: 'unchanged', message: 'already stopped', stop: null },
  ],
  ['never a run', seen([], EMPTY_HISTORY), wasDown, { outcome: 'unchanged' }],
  [
    'a kernel that does not let go',
    seen([condition('Populated'), condition('StopStuck', 'has not let go of 5, 6')], oldRun),
    wasUp,
    { ok: false, outcome: 'failed', message: 'has not let go of 5, 6' },
  ],
  ['the service forgotten', null, wasUp, { ok: true, outcome: 'done' }],
  [
    'a start that came later',
    seen([], ended({}), { intent: intent({ ...ASKED, id: 8, actor: 'ann' }) }),
    wasUp,
    { ok: false, message: 'superseded by a later start (ann)' },
  ],
])('a stop with %s', ([, now, { before, ...rest }, verdict]) => {
  // The table speaks of the intent that a status has seen; here it was a stop.
  const asked = now?.intent === start ? { ...now, intent: stop } : now;
  const judged = judgeStop(asked, { ...rest, intent: stop, before });
  if (verdict === null) expect(judged).toBeNull();
  else expect(judged).toMatchObject(Object(verdict));
});
