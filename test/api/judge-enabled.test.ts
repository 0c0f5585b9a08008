import { expect, test } from 'vitest';
import { type Enabling, judgeEnabled } from '../../src/api/judge-enabled.ts';
import type { DesiredService } from '../../src/model/desired.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { activeHistory, endedHistory, exited, intent, run } from '../builders/situations.ts';
import { accepted, desired } from '../builders/specs.ts';
import { condition, status } from './api-rig.ts';

const on = desired(accepted({ enabled: true }, 2));
const off = desired(accepted({ enabled: false }, 2));
const broken: DesiredService = { ...off, trouble: { kind: 'conflict', files: ['/a', '/b'] } };

const up = (changes: Partial<ServiceStatus> = {}) =>
  status('web', [condition('Populated', '1 process')], {
    history: activeHistory({ run: run({ number: 2 }) }),
    cgroup: { kind: 'populated', pids: [100] },
    desired: on,
    ...changes,
  });
const down = (changes: Partial<ServiceStatus> = {}) =>
  status('web', [condition('Disabled')], {
    history: endedHistory(exited(0)),
    desired: off,
    ...changes,
  });

const enabling: Enabling = { enabled: true, before: down(), lifted: null, desired: on };
const disabling: Enabling = { enabled: false, before: up(), lifted: null, desired: off };
const theStop = intent({ id: 4, want: 'stop' });
const theForce = intent({ id: 4, forced: true });

test.for<[string, ServiceStatus | null, Enabling, unknown]>([
  ['enabled, not seen by a pass', down(), enabling, null],
  ['enabled, being started', up({ conditions: [], phase: 'STARTING' }), enabling, null],
  ['enabled and running', up(), enabling, { outcome: 'done', message: 'running: run 2, pid 100' }],
  [
    'enabled, and ran before',
    up(),
    { ...enabling, before: up() },
    { outcome: 'unchanged', message: 'already running: run 2, pid 100' },
  ],
  [
    'enabled and failing',
    status('web', [condition('Failed', 'exit code 1')], { desired: on }),
    enabling,
    { ok: false, message: 'exit code 1' },
  ],
  [
    'enabled, the stop not yet known to be lifted',
    status('web', [condition('StoppedByOperator')], { desired: on, intent: theStop }),
    { ...enabling, lifted: theStop },
    null,
  ],
  [
    'enabled, and stopped by somebody since',
    status('web', [condition('StoppedByOperator')], {
      desired: on,
      intent: { ...theStop, id: 5, actor: 'ana' },
    }),
    { ...enabling, lifted: theStop },
    { ok: false, message: 'superseded by a later stop (ana)' },
  ],
  [
    'enabled with an old start that says nothing against it',
    up({ intent: intent({ id: 3 }) }),
    enabling,
    { outcome: 'done' },
  ],
  ['disabled, not seen by a pass', up(), disabling, null],
  ['disabled, going down', up({ desired: off }), disabling, null],
  [
    'disabled and down',
    down(),
    { ...disabling, before: up({ history: activeHistory() }) },
    { outcome: 'done', message: 'ended by itself: exit code 0' },
  ],
  [
    'disabled, and was down before',
    down(),
    { ...disabling, before: down() },
    { outcome: 'unchanged', message: 'already stopped' },
  ],
  [
    'disabled with an old start that has no force',
    down({ intent: intent({ id: 3 }) }),
    { ...disabling, before: down() },
    { outcome: 'unchanged' },
  ],
  [
    'disabled, the force not yet known to be lifted',
    up({ desired: off, intent: theForce }),
    { ...disabling, lifted: theForce },
    null,
  ],
  [
    'disabled, and started by force since',
    up({ desired: off, intent: { ...theForce, id: 5 } }),
    { ...disabling, lifted: theForce },
    { ok: false, message: 'superseded by a later start by force (local)' },
  ],
  [
    'disabled, and the kernel does not let go',
    up({ desired: off, conditions: [condition('StopStuck', 'stuck: 100')] }),
    disabling,
    { ok: false, message: 'stuck: 100' },
  ],
  [
    'a definition that somebody broke since',
    down({ desired: broken }),
    { ...disabling, desired: broken },
    { ok: false, message: expect.stringMatching(/^its definition was changed meanwhile: /) },
  ],
  [
    'a definition that somebody changed back since',
    up(),
    { ...disabling, desired: on },
    { ok: false, message: expect.stringMatching(/^its definition was changed meanwhile: /) },
  ],
  ['a definition that is gone', up(), { ...enabling, desired: null }, { ok: false }],
  ['a service that is gone', null, enabling, { ok: false, message: 'it is no longer defined' }],
])('%s', ([, seen, asked, expected]) => {
  const judged = judgeEnabled(seen, asked);
  if (expected === null) expect(judged).toBeNull();
  else expect(judged).toMatchObject(expected as object);
});
