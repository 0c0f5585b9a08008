import { describe, expect, it } from 'vitest';
import type { ServiceName } from '../../src/model/service-name.ts';
import { WorkQueue } from '../../src/reconciler/work-queue.ts';
import { name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** A worker whose every pass a test lets end when it wants. */
class Gate {
  readonly begun: ServiceName[] = [];
  readonly #open: (() => void)[] = [];

  readonly work = (worked: ServiceName) => {
    this.begun.push(worked);
    return new Promise<void>((resolve) => this.#open.push(resolve));
  };

  letOne(): void {
    this.#open.shift()?.();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function queueOf(lanes = 4) {
  const clock = new FakeClock();
  const gate = new Gate();
  return { clock, gate, queue: new WorkQueue(clock, lanes, gate.work) };
}

const A = name('a');
const B = name('b');

describe('the work queue', () => {
  it('takes up what is urgent before others that wait', async () => {
    const gate = new Gate();
    const queue = new WorkQueue(new FakeClock(), 1, gate.work, (each) => each === WEB);
    for (const each of [A, B, WEB]) queue.add(each);
    for (let turns = 0; turns < 3; turns += 1) {
      await turn();
      gate.letOne();
    }
    await turn();
    expect(gate.begun).toEqual([A, WEB, B]);
  });

  it('works on a name once, however often it was added before that', async () => {
    const { gate, queue } = queueOf(1);
    queue.add(A);
    queue.add(B);
    queue.add(B);
    await turn();
    gate.letOne();
    await turn();
    gate.letOne();
    await turn();
    expect(gate.begun).toEqual([A, B]);
  });

  it('works on a name once more when it was added while being worked on', async () => {
    const { gate, queue } = queueOf();
    queue.add(WEB);
    await turn();
    queue.add(WEB);
    queue.add(WEB);
    await turn();
    expect(gate.begun).toEqual([WEB]);
    gate.letOne();
    await turn();
    expect(gate.begun).toEqual([WEB, WEB]);
    gate.letOne();
    await turn();
    expect(gate.begun).toHaveLength(2);
  });

  it('works on several names at once, up to its lanes', async () => {
    const { gate, queue } = queueOf(2);
    for (const each of [A, B, WEB]) queue.add(each);
    await turn();
    expect(gate.begun).toEqual([A, B]);
    gate.letOne();
    await turn();
    expect(gate.begun).toEqual([A, B, WEB]);
  });

  it('waits for the earliest of several times', async () => {
    const { clock, gate, queue } = queueOf();
    queue.addAfter(WEB, 5_000);
    queue.addAfter(WEB, 2_000);
    queue.addAfter(WEB, 9_000);
    clock.advance(1_999);
    await turn();
    expect(gate.begun).toEqual([]);
    clock.advance(1);
    await turn();
    expect(gate.begun).toEqual([WEB]);
    gate.letOne();
    clock.advance(60_000);
    await turn();
    expect(gate.begun).toHaveLength(1);
  });

  it('forgets a pending time when the name becomes due now', async () => {
    const { clock, gate, queue } = queueOf();
    queue.addAfter(WEB, 1_000);
    queue.add(WEB);
    await turn();
    gate.letOne();
    clock.advance(2_000);
    await turn();
    expect(gate.begun).toHaveLength(1);
  });

  it('tells when a name becomes due by itself', async () => {
    const { clock, queue } = queueOf();
    expect(queue.dueMs(A)).toBeNull();
    queue.addAfter(A, 300);
    queue.addAfter(A, 100);
    expect(queue.dueMs(A)).toBe(clock.monotonicMs() + 100);
    queue.add(A);
    expect(queue.dueMs(A)).toBeNull();
  });

  it('looks at the clock again when a timer comes early', async () => {
    const clock = new FakeClock();
    const gate = new Gate();
    // As the real clock does with long delays.
    const capped = {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs: number, callback: () => void) =>
        clock.schedule(Math.min(delayMs, 100), callback),
    };
    const queue = new WorkQueue(capped, 1, gate.work);
    queue.addAfter(WEB, 350);
    clock.advance(349);
    await turn();
    expect(gate.begun).toEqual([]);
    clock.advance(1);
    await turn();
    expect(gate.begun).toEqual([WEB]);
  });

  it('takes up nothing after it was stopped, and finishes what it had', async () => {
    const { clock, gate, queue } = queueOf(1);
    queue.add(A);
    queue.add(B);
    queue.addAfter(WEB, 10);
    await turn();
    queue.stop();
    queue.add(WEB);
    queue.addAfter(WEB, 1);
    clock.advance(100);
    const idle = queue.idle();
    gate.letOne();
    await idle;
    expect(gate.begun).toEqual([A]);
    expect(clock.nextTimerMs()).toBeNull();
  });
});

it('a queue of much that never waits lets everything else have its turn', async () => {
  const clock = new FakeClock();
  let worked = 0;
  const queue = new WorkQueue(clock, 4, async () => {
    worked += 1;
    clock.oversleep(1);
  });
  for (let index = 0; index < 1_000; index += 1) queue.add(name(`web-${index}`));
  await turn();
  expect(worked).toBe(5);
  queue.stop();
  clock.advance(1);
  await queue.idle();
  expect(worked).toBe(5);
});
