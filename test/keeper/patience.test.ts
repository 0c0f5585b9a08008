import { expect, test } from 'vitest';
import { wakefully } from '../../src/keeper/patience.ts';

/** Holds this process up: no timer comes, nothing is read. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a wait that was slept through is not over before what came meanwhile is heard', async () => {
  const heard: string[] = [];
  const cancel = wakefully(250, () => heard.push('over'));
  const answer = new Promise<void>((resolve) => {
    // Comes by the poll phase, after the timers that are due: as from a socket.
    setImmediate(() => setImmediate(resolve));
  });
  standStill(600);
  await answer;
  cancel();
  expect(heard).toEqual([]);
});

test('a wait is over when nothing came', async () => {
  const begun = performance.now();
  await new Promise<void>((resolve) => wakefully(100, resolve));
  expect(performance.now() - begun).toBeGreaterThanOrEqual(95);
});
