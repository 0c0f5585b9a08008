import { expect, it } from 'vitest';
import { TimeSlices } from '../../src/reconciler/time-slices.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** Pieces of work of so many milliseconds, all there at once; tells how many are done by now. */
function work(
  clock: FakeClock,
  slices: TimeSlices,
  { pieces, ms }: { pieces: number; ms: number },
) {
  let done = 0;
  for (let piece = 0; piece < pieces; piece += 1) {
    void slices.run(async () => {
      clock.oversleep(ms);
      done += 1;
    });
  }
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return done;
  };
}

it('lets everything else have its turn after 5 ms of work, however much waits', async () => {
  const clock = new FakeClock();
  const done = work(clock, new TimeSlices(clock), { pieces: 100, ms: 1 });
  expect(await done()).toBe(5);
  clock.advance(0);
  expect(await done()).toBe(10);
  clock.advance(0);
  expect(await done()).toBe(15);
});

it('does urgent work before what waits already', async () => {
  const clock = new FakeClock();
  const slices = new TimeSlices(clock);
  const order: string[] = [];
  const add = (what: string, isUrgent: boolean) =>
    slices.run(async () => {
      clock.oversleep(3);
      order.push(what);
    }, isUrgent);
  const all = [add('one', false), add('two', false), add('three', false), add('urgent', true)];
  await Promise.all(all.slice(0, 2));
  expect(order).toEqual(['one', 'two']);
  clock.advance(0);
  await Promise.all(all);
  expect(order).toEqual(['one', 'two', 'urgent', 'three']);
});

it('never holds up work that comes alone', async () => {
  const clock = new FakeClock();
  const slices = new TimeSlices(clock);
  for (let piece = 0; piece < 10; piece += 1) {
    expect(await work(clock, slices, { pieces: 1, ms: 50 })()).toBe(1);
    clock.advance(0);
  }
  expect(clock.nextTimerMs()).toBeNull();
});

it('goes on after a piece that failed', async () => {
  const clock = new FakeClock();
  const slices = new TimeSlices(clock);
  await expect(slices.run(() => Promise.reject(new Error('defect')))).rejects.toThrow('defect');
  expect(await work(clock, slices, { pieces: 1, ms: 1 })()).toBe(1);
});
