import type { Explanation } from '../../src/rpc/explanation.ts';
import { NOON } from './rows.ts';

const FILE = '/etc/pm/config.d/web.yaml';

/** A service in backoff: most of what an answer can have. */
export function answer(changes: Partial<Explanation> = {}): Explanation {
  return {
    application: 'web',
    phase: 'BACKOFF',
    summary:
      'web is BACKOFF: it exited with code 3 after 0.2 s, 2nd time in a row; next start in 3.1 s',
    at_ms: NOON,
    desired: {
      wanted: 'run',
      because: 'it is enabled',
      decided_by: {
        kind: 'definition',
        file: FILE,
        line: 3,
        actor: null,
        at_ms: NOON - 60_000,
        until_ms: null,
        reason: 'global.enabled is true',
      },
    },
    definition: { file: FILE, generation: 4, waiting: null, trouble: null },
    observed: {
      actual: 'STOPPED',
      processes: 0,
      pids: [],
      main_pid: null,
      since_ms: NOON - 1_000,
      run: 7,
    },
    conditions: [],
    transitions: [
      {
        at_ms: NOON - 86_400_000,
        kind: 'definition.accepted',
        message: `generation 4 from ${FILE}`,
        actor: 'source',
      },
      { at_ms: NOON - 1_000, kind: 'service.ended', message: 'exit code 3', actor: 'supervisor' },
    ],
    last_exit: {
      kind: 'exited',
      code: 3,
      signal: null,
      message: 'exit code 3',
      at_ms: NOON - 1_000,
      decoded: 'exit code 3',
      stage: null,
      run: 7,
      ran_ms: 200,
      stopped_because: null,
      killed: 0,
    },
    restarts: {
      policy: 'always',
      max: 3,
      within_ms: 180_000,
      at_ms: [NOON - 5_000, NOON - 1_000],
      failures_in_a_row: 2,
      last_exits: [
        { run: 7, message: 'exit code 3', at_ms: NOON - 1_000 },
        { run: 6, message: 'killed by SIGSEGV', at_ms: NOON - 5_000 },
      ],
    },
    next: { action: 'start', message: 'it is started again', in_ms: 3_100, at_ms: NOON + 3_100 },
    ways_out: [
      { command: 'pmctl start web', hint: 'starts it now and forgets the failures' },
      { command: null, hint: 'mend the file' },
    ],
    stderr: { path: '/srv/web/logs/stderr.log', lines: ['no database'], error: null },
    ...changes,
  };
}
