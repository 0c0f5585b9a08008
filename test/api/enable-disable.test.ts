import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createHandlers } from '../../src/api/handlers.ts';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import type { DesiredService, Trouble } from '../../src/model/desired.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { contract } from '../../src/rpc/contract.ts';
import { activeHistory, endedHistory, exited, intent, run } from '../builders/situations.ts';
import { accepted, desired, name } from '../builders/specs.ts';
import { caller, condition, MemoryDaemon, NOTHING_NEW, status } from './api-rig.ts';

const ASK = { wait: true, timeout_ms: null };
const FILE = '/etc/pm/config.d/web.yaml';

const defined = (named: string, enabled: boolean, trouble: Trouble | null = null) =>
  ({ ...desired(accepted({ name: name(named), enabled })), trouble }) satisfies DesiredService;

const running = (named: string, changes: Partial<ServiceStatus> = {}) =>
  status(named, [condition('Populated', '1 process')], {
    desired: defined(named, true),
    history: activeHistory(),
    cgroup: { kind: 'populated', pids: [100] },
    ...changes,
  });

const disabled = (named: string, changes: Partial<ServiceStatus> = {}) =>
  status(named, [condition('Disabled')], {
    desired: defined(named, false),
    history: endedHistory(exited(0)),
    ...changes,
  });

/** The sources see what was edited, and the reconciler follows a moment later. */
function daemonWith(...statuses: readonly ServiceStatus[]) {
  const daemon = new MemoryDaemon(...statuses);
  const readings: number[] = [];
  const applied: unknown[] = [];
  const edited = new Map<string, boolean>();
  daemon.edit = ({ spec }, enabled) => {
    edited.set(spec.name, enabled);
    return spec.enabled === enabled ? 'unchanged' : 'edited';
  };
  const follow = (named: string, enabled: boolean) => {
    const desiredNow = { desired: defined(named, enabled), intent: null };
    const next = activeHistory({ run: run({ number: 2 }) });
    const ended = endedHistory(exited(0), { run: run({ number: 2 }) });
    return enabled
      ? running(named, { ...desiredNow, history: next })
      : disabled(named, { ...desiredNow, history: ended });
  };
  const ports = daemon.ports({
    updateSources: async ({ only }) => {
      applied.push(only);
      readings.push(edited.size);
      for (const [named, enabled] of edited) daemon.show(follow(named, enabled));
      return NOTHING_NEW;
    },
  });
  return { daemon, readings, applied, handlers: createHandlers(ports) };
}

test('disabling edits the definition, has it read, says who asked, and waits', async () => {
  const { daemon, readings, applied, handlers } = daemonWith(running('web'));
  const ask = { names: ['web'], ...ASK, reason: 'moved away' };
  const result = await handlers['services.disable'](ask, caller());
  expect(result.services).toEqual([
    {
      name: 'web',
      ok: true,
      outcome: 'done',
      message: `disabled in ${FILE}; ended by itself: exit code 0`,
      stop: null,
    },
  ]);
  expect(z.safeParse(contract['services.disable'].result, result).success).toBe(true);
  expect(daemon.edits).toEqual([`${FILE} false edited`]);
  // Once to know what is on disk, once to have the edit in force.
  expect(readings).toEqual([0, 1]);
  // Changes of others that wait go on waiting.
  expect(applied).toEqual([[], ['web']]);
  expect(daemon.enqueued).toEqual(['web']);
  expect(daemon.emitted).toMatchObject([
    {
      service: 'web',
      kind: 'operator.disable',
      actor: 'local',
      message: `disable requested by local (edited ${FILE}): moved away`,
      data: { file: FILE, edit: 'edited', lifted_intent: null, reason: 'moved away' },
    },
  ]);
});

test('enabling takes a stop back, and nothing else', async () => {
  const stopped = disabled('web', { intent: intent({ id: 9, want: 'stop', actor: 'ana' }) });
  const { daemon, handlers } = daemonWith(stopped);
  const { services } = await handlers['services.enable']({ names: ['web'], ...ASK }, caller());
  expect(services).toMatchObject([
    { ok: true, outcome: 'done', message: `enabled in ${FILE}; running: run 2, pid 100` },
  ]);
  expect([daemon.lifted, daemon.intents]).toEqual([[9], []]);
  expect(daemon.emitted[0]?.message).toContain('the stop by ana is taken back');

  const started = daemonWith(disabled('web', { intent: intent({ id: 9 }) }));
  await started.handlers['services.enable']({ names: ['web'], ...ASK }, caller());
  expect(started.daemon.lifted).toEqual([]);
});

test('disabling takes a start by force back, and leaves a stop', async () => {
  const forced = running('web', {
    desired: defined('web', false),
    intent: intent({ id: 9, forced: true }),
  });
  const { daemon, handlers } = daemonWith(forced);
  const { services } = await handlers['services.disable']({ names: ['web'], ...ASK }, caller());
  expect(services[0]?.message).toBe(`already disabled in ${FILE}; ended by itself: exit code 0`);
  expect(daemon.lifted).toEqual([9]);
  expect(daemon.emitted[0]?.message).toBe(
    `disable requested by local (${FILE} says so already, the start by force by local is taken back)`,
  );

  const stopped = daemonWith(running('web', { intent: intent({ id: 9, want: 'stop' }) }));
  await stopped.handlers['services.disable']({ names: ['web'], ...ASK }, caller());
  expect(stopped.daemon.lifted).toEqual([]);
});

test('what is so already is said to be, without an edit', async () => {
  const { daemon, handlers } = daemonWith(disabled('web'));
  daemon.edit = () => 'unchanged';
  const { services } = await handlers['services.disable']({ names: ['web'], ...ASK }, caller());
  expect(services).toMatchObject([
    { ok: true, outcome: 'unchanged', message: `already disabled in ${FILE}; already stopped` },
  ]);
});

test('what was stopped before is done once its file says so', async () => {
  const down = disabled('web', { desired: defined('web', true), history: activeHistory() });
  const { daemon, handlers } = daemonWith({ ...down, history: endedHistory(exited(0)) });
  daemon.edit = () => 'edited';
  daemon.show({ ...down, history: endedHistory(exited(0)), desired: defined('web', false) });
  const { services } = await handlers['services.disable']({ names: ['web'], ...ASK }, caller());
  expect(services).toMatchObject([{ outcome: 'done' }]);
});

test('without waiting the file is edited all the same', async () => {
  const { daemon, handlers } = daemonWith(running('web'));
  const ask = { names: ['web'], ...ASK, wait: false };
  const { services } = await handlers['services.disable'](ask, caller());
  expect(services).toMatchObject([{ ok: true, outcome: 'requested' }]);
  expect(services[0]?.message).toBe(`disabled in ${FILE}`);
  expect([daemon.edits.length, daemon.enqueued]).toEqual([1, ['web']]);
});

const problem = { file: FILE, line: 3, column: 5, keyPath: 'process.user', message: 'expected x' };

test.each<[string, Trouble, string]>([
  [
    'an invalid definition',
    { kind: 'invalid', problems: [problem] },
    `its definition is invalid, mend it first: ${FILE}:3:5: process.user: expected x`,
  ],
  [
    'one of two definitions',
    { kind: 'conflict', files: ['/a.yaml', '/b.yaml'] },
    'it is defined more than once, keep one first: /a.yaml, /b.yaml',
  ],
  [
    'a definition that a brake holds',
    { kind: 'held', source: 'config:/c', reason: '3 definitions were gone' },
    'its definition is not there: 3 definitions were gone',
  ],
])('%s is not edited', async (_, trouble, message) => {
  const { daemon, readings, handlers } = daemonWith(
    running('web', { desired: defined('web', true, trouble) }),
  );
  const { services } = await handlers['services.disable']({ names: ['web'], ...ASK }, caller());
  expect(services).toMatchObject([{ ok: false, outcome: 'refused', message }]);
  expect([daemon.edits, daemon.emitted, readings]).toEqual([[], [], [0]]);
});

test('one that cannot be edited holds up no other', async () => {
  const { daemon, handlers } = daemonWith(running('odd'), running('web'));
  const follow = daemon.edit;
  daemon.edit = (spec, enabled) => {
    if (spec.spec.name === 'odd') {
      throw new ProcessmasterError('unsafe_path', "cannot write '/x': it is a link");
    }
    return follow(spec, enabled);
  };
  const { services } = await handlers['services.disable']({ names: ['all'], ...ASK }, caller());
  expect(services).toMatchObject([
    { name: 'odd', ok: false, outcome: 'failed', message: "cannot write '/x': it is a link" },
    { name: 'web', ok: true, outcome: 'done' },
  ]);
  expect(daemon.emitted.map(({ service }) => service)).toEqual(['web']);
});

test('one unknown name among several, and nothing is edited', async () => {
  const { daemon, handlers } = daemonWith(running('web'));
  const ask = { names: ['web', 'wob'], ...ASK };
  await expect(handlers['services.disable'](ask, caller())).rejects.toMatchObject({
    code: 'not_found',
  });
  expect(daemon.edits).toEqual([]);
});

test('a wait ends with its time and says what is so instead', async () => {
  const daemon = new MemoryDaemon(running('web'));
  const disable = createHandlers(daemon.ports())['services.disable'];
  daemon.edit = () => {
    daemon.show(running('web', { desired: defined('web', false) }));
    return 'edited';
  };
  const waiting = disable({ names: ['web'], ...ASK, timeout_ms: 1_500 }, caller());
  await new Promise((resolve) => setImmediate(resolve));
  daemon.clock.advance(1_500);
  expect((await waiting).services).toMatchObject([
    {
      ok: false,
      outcome: 'timeout',
      message: `disabled in ${FILE}; not done after 1.5 s, and it goes on: RUNNING; 1 process`,
    },
  ]);
});
