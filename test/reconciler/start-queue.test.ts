import { expect, it } from 'vitest';
import { StartQueue } from '../../src/reconciler/start-queue.ts';

it('begins sixteen at once, services before jobs, in the order they came', async () => {
  const queue = new StartQueue();
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const start = (what: string, isJob: boolean) =>
    queue.run(isJob, () => {
      begun.push(what);
      return new Promise((resolve) => ends.push(resolve));
    });
  for (let index = 0; index < 18; index += 1) void start(`job ${index}`, true);
  void start('web', false);
  await turn();
  expect([begun.length, queue.hasWaiting]).toEqual([16, true]);
  for (const end of ends.splice(0)) end();
  await turn();
  expect(begun.slice(16)).toEqual(['web', 'job 16', 'job 17']);
  expect(queue.hasWaiting).toBe(false);
});

it('tells how a start failed, and goes on', async () => {
  const queue = new StartQueue();
  await expect(queue.run(true, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(queue.run(true, async () => {})).resolves.toBeUndefined();
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
