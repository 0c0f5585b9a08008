import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createHandlers } from '../../src/api/handlers.ts';
import { contract } from '../../src/rpc/contract.ts';
import { name } from '../builders/specs.ts';
import { caller, MemoryDaemon, status } from './api-rig.ts';

const WEB = name('web');

function daemonWith(...names: readonly string[]) {
  const daemon = new MemoryDaemon(...names.map((one) => status(one)));
  const handlers = createHandlers(daemon.ports());
  const set = async (services: string[], flags: string[], ttl_ms: number | null = null) => {
    const result = await handlers['flags.set']({ names: services, flags, ttl_ms }, caller());
    expect(z.safeParse(contract['flags.set'].result, result).success).toBe(true);
    return result.services;
  };
  const clear = async (services: string[], flags: string[]) =>
    (await handlers['flags.clear']({ names: services, flags }, caller())).services;
  const flagsOf = (service = WEB) => (daemon.flags.get(service) ?? []).map((flag) => flag.name);
  return { daemon, set, clear, flagsOf };
}

test('flags are set on all services that are meant, each with an event that names who', async () => {
  const { daemon, set, flagsOf } = daemonWith('web', 'web-2', 'db');
  expect(await set(['web*'], ['b', 'a', 'a'], 7_200_000)).toMatchObject([
    { name: 'web', ok: true, outcome: 'done', message: 'flagged for 2h: b, a' },
    { name: 'web-2', ok: true, outcome: 'done' },
  ]);
  expect([flagsOf(), flagsOf(name('web-2')), flagsOf(name('db'))]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
    [],
  ]);
  const expires_at_ms = daemon.clock.wallMs() + 7_200_000;
  expect(daemon.emitted).toHaveLength(4);
  expect(daemon.emitted[0]).toMatchObject({
    service: 'web',
    kind: 'operator.flag',
    actor: 'local',
    message: "flag 'b' set for 2h by local",
    data: { flag: 'b', expires_at_ms },
  });
});

test('a flag that is set already is nothing new, unless its end is another', async () => {
  const { daemon, set } = daemonWith('web');
  await set(['web'], ['a']);
  expect(await set(['web'], ['a'])).toMatchObject([{ ok: true, outcome: 'unchanged' }]);
  expect(daemon.emitted).toHaveLength(1);
  expect(await set(['web'], ['a'], 1_000)).toMatchObject([{ outcome: 'done' }]);
  expect(daemon.flags.get(WEB)?.[0]?.expiresAtMs).toBe(daemon.clock.wallMs() + 1_000);
});

test('more than 32 flags are refused as a whole', async () => {
  const { daemon, set, flagsOf } = daemonWith('web');
  const most = Array.from({ length: 32 }, (_, at) => `f${at}`);
  expect(await set(['web'], most)).toMatchObject([{ outcome: 'done' }]);
  expect(await set(['web'], ['f0', 'one-more', 'two-more'])).toMatchObject([
    { ok: false, outcome: 'refused', message: expect.stringContaining('34 flags, and 32') },
  ]);
  expect([flagsOf().length, daemon.emitted.length]).toEqual([32, 32]);
});

test('what is no name of a flag sets nothing anywhere', async () => {
  const { daemon, set, flagsOf } = daemonWith('web');
  for (const wrong of ['a b', 'failed', 'all', '']) {
    await expect(set(['web'], ['fine', wrong])).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(`cannot set flag '${wrong}': expected `),
    });
  }
  await expect(set(['nobody'], ['fine'])).rejects.toMatchObject({ code: 'not_found' });
  expect([flagsOf(), daemon.emitted]).toEqual([[], []]);
});

test('flags are taken away by name or all at once; those that are not there are gone', async () => {
  const { daemon, set, clear, flagsOf } = daemonWith('web', 'db');
  await set(['web'], ['a', 'b', 'c']);
  expect(await clear(['web', 'db'], ['a', 'x'])).toMatchObject([
    { name: 'web', outcome: 'done', message: 'no longer flagged: a' },
    { name: 'db', ok: true, outcome: 'unchanged', message: 'not flagged: a, x' },
  ]);
  expect(flagsOf()).toEqual(['b', 'c']);
  expect(await clear(['web'], ['all'])).toMatchObject([{ message: 'no longer flagged: b, c' }]);
  expect(flagsOf()).toEqual([]);
  expect(daemon.emitted.slice(3)).toMatchObject([
    { kind: 'operator.unflag', actor: 'local', data: { flag: 'a' } },
    { kind: 'operator.unflag', actor: 'local', data: { flag: 'b' } },
    { kind: 'operator.unflag', actor: 'local', data: { flag: 'c' } },
  ]);
});
