import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createHandlers } from '../../src/api/handlers.ts';
import type { RecordedEvent } from '../../src/model/event.ts';
import { contract } from '../../src/rpc/contract.ts';
import { name } from '../builders/specs.ts';
import { BUILD, caller, MemoryDaemon, NOTHING_NEW, status } from './api-rig.ts';

function event(seq: number, service: string | null): RecordedEvent {
  const named = service === null ? null : name(service);
  const message = `message ${seq}`;
  return { seq, atMs: seq * 10, service: named, kind: 'x.y', message, actor: 'daemon', data: {} };
}

const daemon = new MemoryDaemon(status('db'), status('web'));
daemon.events = [
  event(1, null),
  event(2, 'web'),
  event(3, 'db'),
  event(4, 'web'),
  event(5, 'gone'),
];

const query = { limit: 200, after_seq: null, since_ms: null, wait_ms: 0 };

async function listed(names: string[], limit = 200): Promise<readonly number[]> {
  const list = createHandlers(daemon.ports())['events.list'];
  const result = await list({ ...query, names, limit }, caller());
  expect(z.safeParse(contract['events.list'].result, result).success).toBe(true);
  return result.events.map(({ seq }) => seq);
}

test.for([
  [[], 200, [1, 2, 3, 4, 5]],
  [[], 2, [4, 5]],
  [['all'], 200, [1, 2, 3, 4, 5]],
  [['web'], 200, [2, 4]],
  [['web', 'db'], 2, [3, 4]],
  [['web', 'w*'], 200, [2, 4]],
  [['gone'], 200, [5]],
] as const)('events of %j, at most %i', async ([names, limit, seqs]) => {
  expect(await listed([...names], limit)).toEqual(seqs);
});

test('events of a name that was never heard of are an error, of a quiet service they are none', async () => {
  await expect(listed(['wbe'])).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining("did you mean 'web'?"),
  });
  await expect(listed(['../etc'])).rejects.toMatchObject({ code: 'not_found' });
  const quiet = new MemoryDaemon(status('quiet'));
  const list = createHandlers(quiet.ports())['events.list'];
  expect(await list({ ...query, names: ['quiet'] }, caller())).toMatchObject({ events: [] });
});

test('log lines are those of the service asked for, which must exist', async () => {
  const tail = createHandlers(daemon.ports())['logs.tail'];
  expect(await tail({ name: 'web', lines: 20 }, caller())).toEqual({
    files: [{ path: '/logs/web', lines: ['20 lines'], truncated: false }],
  });
  for (const unknown of ['nobody', '../../etc/passwd']) {
    await expect(tail({ name: unknown, lines: 20 }, caller())).rejects.toMatchObject({
      code: 'not_found',
    });
  }
});

test('an update is recorded with its actor and reports what the sources say', async () => {
  const asked: unknown[] = [];
  const ports = daemon.ports({
    updateSources: async (options) => {
      asked.push(options);
      return {
        ...NOTHING_NEW,
        accepted: [name('new')],
        problems: [{ file: '/c/a.yaml', line: 3, column: 1, keyPath: 'process', message: 'no' }],
        brakes: [{ source: 'config:/c', reason: 'gone', heldNames: [name('web')] }],
        contents: [{ name: name('web'), sources: [{ path: 'a', reference: 'b' }] }],
      };
    },
  });
  const result = await createHandlers(ports)['sources.update']({ prune: true }, caller());

  expect(asked).toEqual([{ prune: true }]);
  expect(result).toEqual({
    accepted: ['new'],
    changed: [],
    removed: [],
    problems: [{ file: '/c/a.yaml', line: 3, column: 1, key_path: 'process', message: 'no' }],
    conflicts: [],
    brakes: [{ source: 'config:/c', reason: 'gone', held: ['web'] }],
    contents: [{ name: 'web', sources: [{ path: 'a', reference: 'b' }] }],
  });
  expect(z.safeParse(contract['sources.update'].result, result).success).toBe(true);
  expect(daemon.emitted.at(-1)).toMatchObject({
    service: null,
    kind: 'operator.update',
    actor: 'local',
    data: { prune: true },
  });
});

test('the version tells build, pid and socket', () => {
  const result = createHandlers(daemon.ports())['daemon.version']({}, caller());
  const startedAtMs = daemon.clock.wallMs() - 5_000;
  expect(result).toEqual({
    build: BUILD,
    pid: 42,
    started_at_ms: startedAtMs,
    uptime_ms: 5_000,
    socket: '/run/pm.sock',
  });
});
