import { expect, test } from 'vitest';
import { waitForVerdict } from '../../src/api/wait.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { name } from '../builders/specs.ts';
import { condition, MemoryDaemon, status } from './api-rig.ts';

const WEB = name('web');
const isRunning = (one: ServiceStatus | null) => (one?.phase === 'RUNNING' ? 'runs' : null);

function waiting(daemon: MemoryDaemon, timeoutMs = 60_000, controller = new AbortController()) {
  const options = { timeoutMs, signal: controller.signal };
  return waitForVerdict(daemon.ports(), WEB, isRunning, options);
}

test('what is so already needs no change', async () => {
  const daemon = new MemoryDaemon(status('web', [condition('Populated')]));
  expect(await waiting(daemon)).toBe('runs');
  expect(daemon.listeners.size).toBe(0);
});

test('a change of that service is looked at, others are not waited for', async () => {
  const daemon = new MemoryDaemon(status('web'), status('db'));
  const verdict = waiting(daemon);
  daemon.show(status('db', [condition('Populated')]));
  daemon.show(status('web', [condition('Starting')]));
  expect(daemon.listeners.size).toBe(1);
  daemon.show(status('web', [condition('Populated')]));
  expect(await verdict).toBe('runs');
  expect([daemon.listeners.size, daemon.clock.nextTimerMs()]).toEqual([0, null]);
});

test('the time is over when it is over, also when it is longer than a timer', async () => {
  const daemon = new MemoryDaemon(status('web'));
  let verdict: unknown = 'waiting';
  const done = waiting(daemon, 600_000).then((value) => {
    verdict = value;
  });
  // A timer of the real clock fires every thirty seconds at the latest.
  daemon.clock.advance(599_999);
  await Promise.resolve();
  expect(verdict).toBe('waiting');
  daemon.clock.advance(1);
  await done;
  expect([verdict, daemon.listeners.size]).toEqual([null, 0]);
});

test('nobody is waited for who is gone', async () => {
  const daemon = new MemoryDaemon(status('web'));
  const controller = new AbortController();
  const verdict = waiting(daemon, 60_000, controller);
  controller.abort();
  await expect(verdict).rejects.toMatchObject({ code: 'unreachable' });
  await expect(waiting(daemon, 60_000, controller)).rejects.toMatchObject({ code: 'unreachable' });
  expect([daemon.listeners.size, daemon.clock.nextTimerMs()]).toEqual([0, null]);
});
