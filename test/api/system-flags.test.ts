import { expect, test } from 'vitest';
import { systemFlags } from '../../src/api/system-flags.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { SYSTEM_FLAGS } from '../../src/model/system-flag.ts';
import {
  activeHistory,
  at,
  endedHistory,
  exited,
  intent,
  progress,
  run,
  slot,
  stopProgress,
} from '../builders/situations.ts';
import { accepted, desired } from '../builders/specs.ts';
import { status } from './api-rig.ts';

const operatorsRun = { run: run({ intentId: 3 }), clearedByIntentId: 3 };
const start = intent({ id: 3 });
const stop = intent({ id: 4, want: 'stop' });
const stoppedEnd = {
  runEnd: { at: at(5_000), exit: exited(1), stop: stopProgress() },
};

test.for<[string, Partial<ServiceStatus>, readonly string[]]>([
  ['never ran', { history: EMPTY_HISTORY }, []],
  ['runs because it is enabled', { history: activeHistory() }, ['system_start']],
  [
    'runs because an operator started it',
    { history: activeHistory(operatorsRun), intent: start },
    ['user_start'],
  ],
  [
    'ran already when an operator started it',
    { history: activeHistory({ run: run({ intentId: 2 }), clearedByIntentId: 3 }), intent: start },
    ['system_start'],
  ],
  [
    'crashed after an operator started it, and was restarted',
    { history: activeHistory({ ...operatorsRun, restartsMonotonicMs: [5] }), intent: start },
    ['system_start'],
  ],
  [
    'is being stopped by an operator',
    { history: activeHistory(operatorsRun), intent: stop },
    ['user_stop', 'user_start'],
  ],
  [
    'was stopped by an operator, whatever it ended with',
    { history: activeHistory(stoppedEnd), intent: stop },
    ['user_stop', 'exit_ok'],
  ],
  ['was stopped by us', { history: activeHistory(stoppedEnd) }, ['exit_ok']],
  [
    'runs for a slot, although an operator started it once',
    {
      history: activeHistory({ ...operatorsRun, job: progress({ current: slot() }) }),
      intent: start,
    },
    ['system_start'],
  ],
  [
    'is a job that took too long',
    {
      history: activeHistory({
        ...stoppedEnd,
        job: progress({ lastRun: { run: 1, slotMs: null, outcome: 'overtime', atMs: 0 } }),
      }),
    },
    ['ot_killed', 'exit_err'],
  ],
  ['ended well', { history: endedHistory(exited(0)) }, ['exit_ok']],
  ['ended badly', { history: endedHistory(exited(1)) }, ['exit_err']],
  [
    'ended with a code that its definition calls a success',
    {
      history: endedHistory(exited(1)),
      desired: desired(accepted({ successExitCodes: [0, 1] })),
    },
    ['exit_ok'],
  ],
  [
    'is no longer defined and ended with what its last definition called a success',
    {
      history: endedHistory(exited(1), {
        run: run({ accepted: accepted({ successExitCodes: [1] }) }),
      }),
      desired: null,
    },
    ['exit_ok'],
  ],
  [
    'was killed by somebody else',
    { history: endedHistory({ kind: 'signaled', signal: 'SIGKILL' }) },
    ['exit_err'],
  ],
  [
    'could not be started',
    { history: endedHistory({ kind: 'launch_failed', stage: 'exec', message: 'no' }) },
    ['exit_err'],
  ],
  [
    'ended while nobody was there to see it',
    { history: endedHistory({ kind: 'unknown', reason: 'adopted' }) },
    [],
  ],
  [
    'waits for its next try',
    { phase: 'BACKOFF', history: endedHistory(exited(1)) },
    ['backoff', 'exit_err'],
  ],
  [
    'has used up its restarts',
    { phase: 'FAILED', history: endedHistory(exited(1), { failed: true }) },
    ['failed', 'exit_err'],
  ],
  [
    'failed where the policy allows no restart',
    { phase: 'FAILED', history: endedHistory(exited(1)) },
    ['failed', 'exit_err'],
  ],
  [
    'had used up its restarts and was stopped then',
    { phase: 'STOPPED', history: endedHistory(exited(1), { failed: true }), intent: stop },
    ['failed', 'user_stop', 'exit_err'],
  ],
])('a service that %s', ([, changes, flags]) => {
  expect(systemFlags(status('web', [], changes))).toEqual(flags);
});

test('every flag is one of those the manual knows', () => {
  expect([...SYSTEM_FLAGS].sort()).toEqual(
    'backoff exit_err exit_ok failed ot_killed system_start user_start user_stop'.split(' '),
  );
});
