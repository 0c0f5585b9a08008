import { expect, it } from 'vitest';
import { waitForState } from '../../src/api/wait-for-state.ts';
import { condition, MemoryDaemon, status } from './api-rig.ts';

const context = { actor: 'local', signal: new AbortController().signal } as never;
const running = status('web', [condition('Populated')], {
  cgroup: { kind: 'populated', pids: [7] },
});

it('is over at once when it is so already', async () => {
  const daemon = new MemoryDaemon(running, status('off'));
  const wait = (names: string[], state: 'running' | 'stopped') =>
    waitForState(daemon.ports(), { names, state, timeout_ms: null }, context);
  expect((await wait(['web'], 'running')).services).toEqual([
    { application: 'web', phase: 'RUNNING', reached: true, waited_ms: 0 },
  ]);
  expect((await wait(['off'], 'stopped')).services).toMatchObject([{ reached: true }]);
});

it('a service that is about to be started again is not stopped', async () => {
  const daemon = new MemoryDaemon(status('web', [condition('Backoff')]));
  const waiting = waitForState(
    daemon.ports(),
    { names: ['web'], state: 'stopped', timeout_ms: 1_000 },
    context,
  );
  daemon.clock.advance(1_000);
  expect((await waiting).services).toEqual([
    { application: 'web', phase: 'BACKOFF', reached: false, waited_ms: 1_000 },
  ]);
});

it.each([
  ['stopped', true],
  ['running', false],
] as const)('one that is removed is %s: %s', async (state, reached) => {
  const daemon = new MemoryDaemon(status('web', [condition('Stopping')]));
  const waiting = waitForState(
    daemon.ports(),
    { names: ['web'], state, timeout_ms: null },
    context,
  );
  const [web] = daemon.ports().statuses();
  if (web !== undefined) daemon.forget(web.name);
  expect((await waiting).services).toMatchObject([{ phase: null, reached }]);
});

it('waits half a minute unless told otherwise', async () => {
  const daemon = new MemoryDaemon(status('off'));
  const waiting = waitForState(
    daemon.ports(),
    { names: ['off'], state: 'running', timeout_ms: null },
    context,
  );
  daemon.clock.advance(30_000);
  expect((await waiting).services).toMatchObject([{ reached: false, waited_ms: 30_000 }]);
});
