import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { explain } from '../../src/api/why.ts';
import type { WhyFacts } from '../../src/api/why-facts.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import { contract } from '../../src/rpc/contract.ts';
import type { Explanation } from '../../src/rpc/explanation.ts';
import {
  absent,
  activeHistory,
  at,
  digest,
  empty,
  endedHistory,
  exited,
  intent,
  observed,
  readingOf,
  run,
  running,
  stopProgress,
  unreadable,
  unreadableEnvironment,
} from '../builders/situations.ts';
import { accepted, desired, entry } from '../builders/specs.ts';
import { conflict, FILE, factsAt, held, invalid, never, troubled } from './why-rig.ts';

const off = desired(accepted({ enabled: false }));
const policy = (name: 'never' | 'on-failure') => desired(accepted({ restart: { policy: name } }));
const stopped = intent({ want: 'stop', actor: 'ann', requestedAtMs: at(0).wallMs });
const asked = { want: 'stop', actor: 'ann' } as const;
const ended = endedHistory(exited(3));
const twoPids = observed({ kind: 'populated', pids: [100, 101] });
const launching = observed({ kind: 'absent' }, { launcherAlive: true });

interface Answer {
  readonly summary: string;
  readonly wanted: Explanation['desired']['wanted'];
  readonly by: Partial<Explanation['desired']['decided_by']>;
  readonly next: readonly [string, number | null] | null;
  readonly ways: readonly string[];
}

const enabled = {
  kind: 'definition',
  file: FILE,
  line: 3,
  reason: 'global.enabled is true',
} as const;
const start = 'pmctl start web: starts it now and forgets the failures';
const change = `change ${FILE}:4: a new definition starts it, too`;

const provisioned = accepted({ provisioning: [entry()] });
const unprovisioned = {
  at: at(0),
  message: "entry 1 of 1 ('/srv/web'): no; already applied: nothing",
  generation: 1,
  intentId: 0,
  failures: 1,
  nextTryMonotonicMs: at(3_000).monotonicMs,
};
const provisionAgain = [
  `mend what it says, or correct ${FILE}:12`,
  'pmctl update: provisions again at once',
];

const ANSWERS: readonly (readonly [string, WhyFacts, Answer])[] = [
  [
    'it runs',
    factsAt(192_000, { observation: running(100, 101) }),
    {
      summary: 'web is RUNNING: it is enabled and has been up for 3 m 12 s (run 1, 2 processes)',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: [],
    },
  ],
  [
    'it runs by force',
    factsAt(5_000, {
      observation: running(100),
      desired: off,
      intent: intent({ forced: true, actor: 'ann', reason: 'a test' }),
    }),
    {
      summary: 'web is RUNNING: it is forced on and has been up for 5.0 s (run 1, 1 process)',
      wanted: 'run',
      by: { kind: 'operator', actor: 'ann', at_ms: at(0).wallMs, reason: 'a test', file: null },
      next: null,
      ways: [],
    },
  ],
  [
    'its file is invalid while it runs',
    factsAt(5_000, { observation: running(100), desired: troubled(invalid) }),
    {
      summary: `web is RUNNING: it is enabled and has been up for 5.0 s (run 1, 1 process); its definition is invalid now (${FILE}:7:5: process.nice: expected a number), generation 1 stays in force`,
      wanted: 'run',
      by: { ...enabled, line: null },
      next: null,
      ways: [`mend ${FILE}:7; it is read by itself`],
    },
  ],
  [
    'it never was valid',
    factsAt(0, { history: EMPTY_HISTORY, desired: never(invalid) }),
    {
      summary: `web is INVALID: ${FILE}:7:5: process.nice: expected a number (and 1 more); there never was a valid definition`,
      wanted: 'hold',
      by: { kind: 'definition', file: FILE, line: 7, reason: 'it is not valid' },
      next: null,
      ways: [`mend ${FILE}:7; it is read by itself`],
    },
  ],
  [
    'it is defined twice while it runs',
    factsAt(5_000, { observation: running(100), desired: troubled(conflict) }),
    {
      summary:
        'web is RUNNING: it is enabled and has been up for 5.0 s (run 1, 1 process); it is defined more than once (/c/a.yaml, /c/b.yaml), generation 1 stays in force',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: ['keep one of /c/a.yaml, /c/b.yaml'],
    },
  ],
  [
    'it was defined twice from the beginning',
    factsAt(0, { history: EMPTY_HISTORY, desired: never(conflict) }),
    {
      summary:
        'web is INVALID: defined more than once, in /c/a.yaml and /c/b.yaml; there never was a valid definition',
      wanted: 'hold',
      by: { kind: 'definition', file: '/c/a.yaml', reason: 'it is not the only one' },
      next: null,
      ways: ['keep one of /c/a.yaml, /c/b.yaml'],
    },
  ],
  [
    'the brake holds it',
    factsAt(5_000, { observation: running(100), desired: troubled(held) }),
    {
      summary:
        'web is RUNNING: it is enabled and has been up for 5.0 s (run 1, 1 process); its definition is gone, and the brake holds it as it is',
      wanted: 'run',
      by: { kind: 'brake', file: null, reason: held.reason },
      next: null,
      ways: [
        'restore the definitions in /etc/pm/config.d',
        'pmctl update --prune: confirms the loss: stops all that is held',
      ],
    },
  ],
  [
    'its changed definition waits for an update',
    factsAt(5_000, { observation: running(100), desired: { ...desired(), waiting: 'changed' } }),
    {
      summary:
        'web is RUNNING: it is enabled and has been up for 5.0 s (run 1, 1 process); its definition was changed, which waits for pmctl update',
      wanted: 'run',
      by: { ...enabled, line: null },
      next: null,
      ways: ['pmctl diff: shows what waits', 'pmctl update: applies all that waits'],
    },
  ],
  [
    'its removal waits for an update',
    factsAt(0, { history: EMPTY_HISTORY, desired: { ...off, waiting: 'removed' } }),
    {
      summary: `web is DISABLED: global.enabled is false in ${FILE}; its definition is gone, which waits for pmctl update`,
      wanted: 'stop',
      by: { kind: 'definition', file: FILE, line: null },
      next: null,
      ways: [
        'pmctl diff: shows what waits',
        'pmctl update: applies all that waits',
        'pmctl start web --force: runs it all the same',
        `pmctl enable web: sets global.enabled in ${FILE}:3`,
      ],
    },
  ],
  [
    'it is being provisioned',
    factsAt(0, {
      desired: desired(provisioned),
      history: EMPTY_HISTORY,
      observation: { ...absent, provisioning: 'running' },
    }),
    {
      summary: 'web is STARTING: its working directory is being provisioned, then it is started',
      wanted: 'run',
      by: enabled,
      next: ['start', null],
      ways: [],
    },
  ],
  [
    'it cannot be provisioned',
    factsAt(1_000, {
      desired: desired(provisioned),
      history: { ...EMPTY_HISTORY, provisioning: unprovisioned },
      observation: { ...absent, provisioning: 'due' },
    }),
    {
      summary: `web is BACKOFF: it cannot be provisioned, and is not started without that: ${unprovisioned.message}; tried again in 2.0 s`,
      wanted: 'run',
      by: enabled,
      next: ['retry', 2_000],
      ways: provisionAgain,
    },
  ],
  [
    'it runs and cannot be provisioned again',
    factsAt(1_000, {
      desired: desired(provisioned),
      history: activeHistory({ provisioning: unprovisioned }),
      observation: { ...running(100), provisioning: 'due' },
    }),
    {
      summary: `web is RUNNING: it is enabled and has been up for 1.0 s (run 1, 1 process); it could not be provisioned again (${unprovisioned.message})`,
      wanted: 'run',
      by: enabled,
      next: null,
      ways: provisionAgain,
    },
  ],
  [
    'it runs with a marker of other entries',
    factsAt(1_000, {
      desired: desired(provisioned),
      observation: { ...running(100), provisioning: 'outdated' },
    }),
    {
      summary:
        'web is RUNNING: it is enabled and has been up for 1.0 s (run 1, 1 process); provisioning was changed since it was applied; delete /srv/web/.pm_provisioned to have it applied (pmctl update: at once)',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: ['rm /srv/web/.pm_provisioned: makes it due', 'pmctl update: provisions again at once'],
    },
  ],
  [
    'it waits for its next try',
    factsAt(1_900, {
      history: endedHistory(exited(3), {
        runEnd: { at: at(200), exit: exited(3), stop: null },
        consecutiveFailures: 2,
        nextStartMonotonicMs: at(5_000).monotonicMs,
      }),
    }),
    {
      summary:
        'web is BACKOFF: it exited with code 3 after 0.2 s, 2nd time in a row; next start in 3.1 s',
      wanted: 'run',
      by: enabled,
      next: ['start', 3_100],
      ways: [start, 'pmctl stop web: ends the tries'],
    },
  ],
  [
    'a signal ended it',
    factsAt(2_000, {
      history: endedHistory(
        { kind: 'signaled', signal: 'SIGSEGV' },
        { consecutiveFailures: 11, nextStartMonotonicMs: at(62_000).monotonicMs },
      ),
    }),
    {
      summary:
        'web is BACKOFF: it was killed by SIGSEGV (segmentation fault) after 1.0 s, 11th time in a row; next start in 1 m',
      wanted: 'run',
      by: enabled,
      next: ['start', 60_000],
      ways: [
        'look for a core dump (coredumpctl list, or where /proc/sys/kernel/core_pattern says)',
        start,
        'pmctl stop web: ends the tries',
      ],
    },
  ],
  [
    'its folder is missing',
    factsAt(2_000, {
      history: endedHistory(
        {
          kind: 'launch_failed',
          stage: 'chdir',
          message: "cannot enter the folder '/srv/web': No such file",
        },
        { consecutiveFailures: 3, nextStartMonotonicMs: at(2_400).monotonicMs },
      ),
    }),
    {
      summary:
        "web is BACKOFF: it could not be started (cannot enter the folder '/srv/web': No such file), 3rd time in a row; next start in 0.4 s",
      wanted: 'run',
      by: enabled,
      next: ['start', 400],
      ways: [
        `make the folder, open to its user, or correct process.working_directory in ${FILE}:5`,
        start,
        'pmctl stop web: ends the tries',
      ],
    },
  ],
  [
    'its restarts are used up',
    factsAt(9_000, { history: { ...ended, failed: true, consecutiveFailures: 4 } }),
    {
      summary:
        'web is FAILED: it exited with code 3 after 1.0 s; 3 restarts in 3 m are tolerated, so it is not started again',
      wanted: 'run',
      by: {
        kind: 'policy',
        file: FILE,
        line: 11,
        at_ms: at(1_000).wallMs,
        reason: 'tolerance of 3 restarts in 3 m',
      },
      next: null,
      ways: [start, change],
    },
  ],
  [
    'no restart is tolerated',
    factsAt(9_000, {
      desired: desired(accepted({ restart: { maxRestarts: 0 } })),
      history: { ...ended, failed: true },
    }),
    {
      summary:
        'web is FAILED: it exited with code 3 after 1.0 s; no restart is tolerated, so it is not started again',
      wanted: 'run',
      by: { kind: 'policy', line: 11, reason: 'tolerance of 0 restarts in 3 m' },
      next: null,
      ways: [start, change],
    },
  ],
  [
    'it failed and its policy is never',
    factsAt(9_000, { desired: policy('never'), history: endedHistory(exited(127)) }),
    {
      summary:
        'web is FAILED: it exited with code 127 (from a shell: a command was not found) after 1.0 s, and restart policy never leaves it at that',
      wanted: 'run',
      by: { kind: 'policy', file: FILE, line: 9, reason: 'policy never' },
      next: null,
      ways: [
        `see that what it calls is there and executable, or correct process.start_command in ${FILE}:6`,
        start,
      ],
    },
  ],
  [
    'it is completed',
    factsAt(9_000, { desired: policy('on-failure'), history: endedHistory(exited(0)) }),
    {
      summary:
        'web is STOPPED: it exited with code 0 (success) after 1.0 s, and restart policy on-failure leaves it at that',
      wanted: 'run',
      by: { kind: 'policy', line: 9, reason: 'policy on-failure', at_ms: at(1_000).wallMs },
      next: null,
      ways: ['pmctl start web: runs it again'],
    },
  ],
  [
    'it is disabled',
    factsAt(0, { desired: off, history: EMPTY_HISTORY }),
    {
      summary: `web is DISABLED: global.enabled is false in ${FILE}:3`,
      wanted: 'stop',
      by: { kind: 'definition', file: FILE, line: 3, reason: 'global.enabled is false' },
      next: null,
      ways: [
        'pmctl start web --force: runs it all the same',
        `pmctl enable web: sets global.enabled in ${FILE}:3`,
      ],
    },
  ],
  [
    'an operator stopped it',
    factsAt(300_000, { intent: { ...stopped, reason: 'new disk' }, history: ended }),
    {
      summary: 'web is STOPPED: stopped by ann 5 m ago: new disk',
      wanted: 'stop',
      by: {
        kind: 'operator',
        actor: 'ann',
        at_ms: at(0).wallMs,
        reason: 'new disk',
        until_ms: null,
      },
      next: null,
      ways: ['pmctl start web: lets it run again'],
    },
  ],
  [
    'an operator stopped it for a while',
    factsAt(60_000, { intent: { ...stopped, until: at(7_200_000) }, history: ended }),
    {
      summary: 'web is STOPPED: stopped by ann 1 m ago; the stop ends in 1 h 59 m',
      wanted: 'stop',
      by: { kind: 'operator', actor: 'ann', until_ms: at(7_200_000).wallMs, reason: null },
      next: ['lift', 7_140_000],
      ways: ['pmctl start web: lets it run again'],
    },
  ],
  [
    'it is being stopped',
    factsAt(11_800, {
      observation: twoPids,
      intent: intent(asked),
      history: activeHistory({ stop: stopProgress({ reason: 'stopped by ann' }) }),
    }),
    {
      summary: 'web is STOPPING: stopped by ann; pids 100, 101 still there, to be killed in 3.2 s',
      wanted: 'stop',
      by: { kind: 'operator', actor: 'ann' },
      next: ['kill', 3_200],
      ways: [],
    },
  ],
  [
    'it is being stopped to be started again',
    factsAt(11_800, {
      observation: running(100),
      history: activeHistory({ stop: stopProgress({ reason: 'restart requested by ann' }) }),
    }),
    {
      summary:
        'web is STOPPING: restart requested by ann; pid 100 still there, to be killed in 3.2 s; then it is started again',
      wanted: 'run',
      by: enabled,
      next: ['kill', 3_200],
      ways: [],
    },
  ],
  [
    'only its stop command is left',
    factsAt(11_000, {
      observation: { ...empty, stopCommandRuns: true },
      intent: intent(asked),
      history: activeHistory({ stop: stopProgress({ reason: 'stopped by ann' }) }),
    }),
    {
      summary:
        'web is STOPPING: stopped by ann; its stop command is at work, to be killed in 4.0 s',
      wanted: 'stop',
      by: { kind: 'operator' },
      next: ['kill', 4_000],
      ways: [],
    },
  ],
  [
    'it was just killed',
    factsAt(16_000, {
      observation: running(100),
      intent: intent(asked),
      history: activeHistory({
        stop: stopProgress({ killedAtMonotonicMs: at(15_500).monotonicMs, killed: 1 }),
      }),
    }),
    {
      summary: 'web is STOPPING: stopped by local; pid 100 still there, killed 0.5 s ago',
      wanted: 'stop',
      by: { kind: 'operator' },
      next: ['kill_again', 4_500],
      ways: [],
    },
  ],
  [
    'the kernel does not let go of it',
    factsAt(18_000, {
      observation: running(100),
      intent: intent(asked),
      history: activeHistory({
        stop: stopProgress({ killedAtMonotonicMs: at(15_000).monotonicMs, killed: 1 }),
      }),
    }),
    {
      summary:
        'web is STOPPING: killed 3.0 s ago, but the kernel has not let go of pid 100; killed again in 2.0 s',
      wanted: 'stop',
      by: { kind: 'operator' },
      next: ['kill_again', 2_000],
      ways: ['see what the process waits for (cat /proc/PID/stack): a disk or a network mount?'],
    },
  ],
  [
    'it is about to be started',
    factsAt(0, { history: EMPTY_HISTORY }),
    {
      summary: 'web is STARTING: it is being started (it is enabled)',
      wanted: 'run',
      by: enabled,
      next: ['start', 0],
      ways: [],
    },
  ],
  [
    'it was just launched',
    factsAt(50, { observation: launching }),
    {
      summary: 'web is STARTING: run 1 was launched 50 ms ago and is on its way into its cgroup',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: [],
    },
  ],
  [
    'it is launched and not wanted any more',
    factsAt(50, { observation: launching, intent: intent(asked) }, { nextLookMs: 950 }),
    {
      summary: 'web is STOPPING: stopped by ann; it is asked to end',
      wanted: 'stop',
      by: { kind: 'operator' },
      next: ['stop', 950],
      ways: [],
    },
  ],
  [
    'its last step failed',
    factsAt(
      192_000,
      { observation: running(100) },
      { nextLookMs: 250 },
      { type: 'ActionFailed', message: 'capture-logs: No space left on device' },
    ),
    {
      summary:
        'web is RUNNING: it is enabled and has been up for 3 m 12 s (run 1, 1 process); the last step failed (capture-logs: No space left on device)',
      wanted: 'run',
      by: enabled,
      next: ['retry', 250],
      ways: [],
    },
  ],
  [
    'its state cannot be read',
    factsAt(0, { observation: unreadable }, { nextLookMs: 600 }),
    {
      summary:
        "web cannot be seen: the kernel's state could not be read: Input/output error (EIO); it is left alone meanwhile",
      wanted: 'run',
      by: enabled,
      next: ['look', 600],
      ways: ['see that the cgroup tree is mounted and readable'],
    },
  ],
  [
    'it runs without a record',
    factsAt(0, {
      observation: running(100),
      history: activeHistory({ run: run({ accepted: null }), main: null }),
    }),
    {
      summary: 'web is RUNNING: 1 process of it was found without a record of the start',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: ['pmctl restart web: starts it anew, with a record'],
    },
  ],
  [
    'its main process is gone',
    factsAt(0, {
      observation: observed({ kind: 'populated', pids: [101, 102] }),
      history: activeHistory({ launchedExit: exited(0) }),
    }),
    {
      summary:
        'web is RUNNING: the main process 100 is gone (exit code 0), 2 processes live on; it is up until the last one ends',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: ['pmctl restart web: ends what is left and starts it anew'],
    },
  ],
  [
    'its definition was removed',
    factsAt(10_500, {
      desired: null,
      observation: running(100),
      history: activeHistory({ stop: stopProgress({ reason: 'its definition was removed' }) }),
    }),
    {
      summary:
        'web is STOPPING: its definition was removed; pid 100 still there, to be killed in 4.5 s',
      wanted: 'remove',
      by: { kind: 'definition', file: FILE, line: null, reason: 'its definition was removed' },
      next: ['kill', 4_500],
      ways: [],
    },
  ],
  [
    'its definition was removed, and what is left of it cannot be',
    factsAt(
      0,
      { desired: null, history: ended },
      { nextLookMs: 500 },
      { type: 'ActionFailed', message: 'forget: Read-only file system' },
    ),
    {
      summary:
        'web is STOPPED: its definition was removed; the last step failed (forget: Read-only file system)',
      wanted: 'remove',
      by: { kind: 'definition', file: FILE },
      next: ['retry', 500],
      ways: [],
    },
  ],
  [
    'a file of its environment is gone',
    factsAt(5_000, { observation: running(100), environment: unreadableEnvironment }),
    {
      summary:
        'web is RUNNING: it is enabled and has been up for 5.0 s (run 1, 1 process); it runs on with what it was started with, but could not be started again: cannot make the environment: gone',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: [`let the file be read again, or correct ${FILE}:4; pmctl update looks at once`],
    },
  ],
  [
    'a file of its environment changed, which waits',
    factsAt(5_000, {
      observation: running(100),
      environment: readingOf('new', { waits: true }),
      history: activeHistory({ run: run({ environmentDigest: digest('old') }) }),
    }),
    {
      summary:
        'web is RUNNING: it is enabled and has been up for 5.0 s (run 1, 1 process); process.environment[TOKEN]: content of @file:///run/token changed; pmctl update restarts it',
      wanted: 'run',
      by: enabled,
      next: null,
      ways: ['pmctl diff: shows what waits', 'pmctl update: applies all that waits'],
    },
  ],
  [
    'a file of its environment was gone at the start',
    factsAt(0, {
      history: endedHistory(
        { kind: 'launch_failed', stage: 'environment', message: 'gone' },
        { failed: true },
      ),
    }),
    {
      summary: expect.stringMatching(/could not be started.*gone/),
      wanted: 'run',
      by: { kind: 'policy' },
      next: null,
      ways: expect.arrayContaining([
        expect.stringMatching(
          /^let the file be read, or correct process\.environment or process\.env_file in /,
        ),
      ]),
    },
  ],
  [
    'the daemon is shutting down',
    factsAt(0, { shuttingDown: true, history: ended }),
    {
      summary: 'web is STOPPED: the daemon is shutting down',
      wanted: 'stop',
      by: { kind: 'daemon', reason: 'it stops everything before it ends' },
      next: null,
      ways: [],
    },
  ],
];

test.for(ANSWERS)('when %s', ([, facts, answer]) => {
  const { summary, desired: wanted, next, ways_out } = explain(facts);
  expect(summary).toEqual(answer.summary);
  expect(wanted.wanted).toBe(answer.wanted);
  expect(wanted.decided_by).toMatchObject(answer.by);
  expect(next && [next.action, next.in_ms]).toEqual(answer.next);
  expect(
    ways_out.map(({ command, hint }) => (command === null ? hint : `${command}: ${hint}`)),
  ).toEqual(answer.ways);
});

test('an answer is what the contract says', () => {
  for (const [, facts] of ANSWERS) {
    expect(z.safeParse(contract['services.why'].result, explain(facts)).error).toBeUndefined();
  }
});
