import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Counts } from '../../src/daemon/counts.ts';
import { LoopDelay } from '../../src/daemon/loop-delay.ts';
import { OwnMetrics } from '../../src/daemon/own-metrics.ts';
import type { ServiceEvent } from '../../src/model/event.ts';
import { slot } from '../builders/situations.ts';
import { name, WEB } from '../builders/specs.ts';

const event = (kind: string, service: ServiceEvent['service'] = WEB): ServiceEvent => ({
  atMs: 1,
  service,
  kind,
  message: '',
  actor: 'supervisor',
  data: {},
});

describe('counts', () => {
  it('are of events by service and kind', () => {
    const counts = new Counts();
    for (const kind of ['service.ended', 'service.starting', 'service.ended']) {
      counts.noteEvent(event(kind));
    }
    counts.noteEvent(event('daemon.started', null));
    expect(counts.events()).toEqual([
      { service: WEB, kind: 'service.ended', count: 2 },
      { service: WEB, kind: 'service.starting', count: 1 },
      { service: null, kind: 'daemon.started', count: 1 },
    ]);
    counts.forget(WEB);
    expect(counts.events()).toEqual([{ service: null, kind: 'daemon.started', count: 1 }]);
  });

  it('are of slots by outcome, each once, when it is over', () => {
    const counts = new Counts();
    const first = slot({ slotMs: 60_000, lastSlotMs: 60_000, outcome: null });
    counts.noteSlots(WEB, [first]);
    expect(counts.slots()).toEqual([]);
    counts.noteSlots(WEB, [{ ...first, outcome: 'ok' }]);
    counts.noteSlots(WEB, [{ ...first, outcome: 'ok' }]);
    const missed = { ...first, slotMs: 120_000, lastSlotMs: 300_000, slots: 4 };
    counts.noteSlots(WEB, [{ ...missed, outcome: 'missed' }]);
    counts.noteSlots(name('db'), [{ ...first, outcome: 'failed' }]);
    expect(counts.slots()).toEqual([
      { service: WEB, outcome: 'ok', count: 1 },
      { service: WEB, outcome: 'missed', count: 4 },
      { service: 'db', outcome: 'failed', count: 1 },
    ]);
  });
});

it('the delay of the loop is the worst of the last thirty looks', () => {
  const delay = new LoopDelay();
  expect(delay.worstMs).toBeNull();
  delay.note(1_000, 1_250);
  delay.note(3_000, 2_999);
  expect(delay.worstMs).toBe(250);
  for (let look = 0; look < 30; look += 1) delay.note(1_000, 1_002);
  expect(delay.worstMs).toBe(2);
});

it('what a process knows of itself is what /proc says', () => {
  const metrics = new OwnMetrics();
  const before = metrics.read();
  const fd = openSync('/dev/null', 'r');
  const after = metrics.read();
  closeSync(fd);
  expect(after.openDescriptors).toBe(before.openDescriptors + 1);
  expect(after.cpuUs).toBeGreaterThanOrEqual(before.cpuUs);
  expect(after.residentBytes).toBeGreaterThan(10_000_000);
});
