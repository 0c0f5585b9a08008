import { expect, it } from 'vitest';
import { TimeSlices } from '../../src/reconciler/time-slices.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** Whether a piece of work may begin at once. */
async function begins(slices: TimeSlices): Promise<boolean> {
  let begun = false;
  void slices.begin().then(() => {
    begun = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return begun;
}

/** Pieces of work of 5 ms each, one right after the other, until one has to wait. */
async function workInARow(clock: FakeClock, slices: TimeSlices): Promise<number> {
  for (let done = 0; ; done += 1) {
    if (!(await begins(slices))) return done;
    clock.oversleep(5);
    slices.end();
  }
}

it('lets everything else have its turn after 20 ms of work in a row', async () => {
  const clock = new FakeClock();
  const slices = new TimeSlices(clock);
  expect(await workInARow(clock, slices)).toBe(4);
  expect(await begins(slices)).toBe(false);
  clock.advance(1);
  expect(await workInARow(clock, slices)).toBe(4);
});

it('never holds up work that comes alone', async () => {
  const clock = new FakeClock();
  const slices = new TimeSlices(clock);
  for (let piece = 0; piece < 10; piece += 1) {
    expect(await begins(slices)).toBe(true);
    clock.oversleep(50);
    slices.end();
    clock.oversleep(2);
  }
  expect(clock.nextTimerMs()).toBeNull();
});
