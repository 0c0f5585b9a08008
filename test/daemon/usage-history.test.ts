import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageHistory } from '../../src/daemon/usage-history.ts';
import { UsageFiles } from '../../src/journal/usage-files.ts';
import { SAMPLE_MS, sampleNumber } from '../../src/model/usage-sample.ts';
import type { ResourceUsage, UsageReading } from '../../src/observers/resource-usage.ts';
import { name, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const NOTHING = {
  cpuUs: 0,
  cpuUserUs: null,
  cpuSystemUs: null,
  cpuPeriods: null,
  cpuThrottledPeriods: null,
  cpuThrottledUs: null,
  cpuLimitPercent: null,
  memoryBytes: null,
  memoryWorkingSetBytes: null,
  memoryAnonBytes: null,
  memoryFileBytes: null,
  memoryPeakBytes: null,
  memoryLimitBytes: null,
  swapBytes: null,
  ioReadBytes: null,
  ioWriteBytes: null,
  ioReads: null,
  ioWrites: null,
  pids: null,
  cpuPressure: null,
  memoryPressure: null,
  ioPressure: null,
};

/** Services that use as much as they are told to. */
class FakeUsage {
  readonly #clock: FakeClock;
  readonly cpuUsByName = new Map<string, number>();
  forget = () => {};

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  glance(service: string): UsageReading | null {
    const cpuUs = this.cpuUsByName.get(service);
    if (cpuUs === undefined) return null;
    const gauges = { ...NOTHING, cpuUs, memoryBytes: 1_000 };
    return { gauges, atMonotonicMs: this.#clock.monotonicMs() };
  }
}

describe('the history of what services use', () => {
  let folder: string;
  let clock: FakeClock;
  let usage: FakeUsage;
  let history: UsageHistory;
  let running: { name: typeof WEB; run: number }[];
  let troubles: (string | null)[];

  function open(): UsageHistory {
    return new UsageHistory({
      clock,
      usage: usage as unknown as ResourceUsage,
      files: new UsageFiles(join(folder, 'usage')),
      running: () => running,
      onTrouble: (reason) => troubles.push(reason),
    });
  }

  /** Ten seconds in which a service uses so much. */
  async function pass(cpuUs: Readonly<Record<string, number>> = {}): Promise<void> {
    clock.advance(SAMPLE_MS);
    for (const [service, us] of Object.entries(cpuUs)) {
      usage.cpuUsByName.set(service, (usage.cpuUsByName.get(service) ?? 0) + us);
    }
    await history.sample();
  }

  function cpu(count: number): readonly (number | null)[] {
    const first = sampleNumber(clock.wallMs()) - count;
    const [series] = history.series(WEB, { first, count, step: 1 }, ['cpu_percent']);
    return (series?.mean ?? []).map((value) => (value === null ? null : Math.round(value)));
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'usage-history-'));
    clock = new FakeClock();
    usage = new FakeUsage(clock);
    running = [{ name: WEB, run: 1 }];
    troubles = [];
    history = open();
    usage.cpuUsByName.set('web', 0);
  });
  afterEach(() => {
    history.close();
    rmSync(folder, { recursive: true });
  });

  it('is what was used between two samples, at the time of the interval', async () => {
    await pass();
    await pass({ web: 5_000_000 });
    await pass({ web: 0 });
    await pass({ web: 20_000_000 });
    expect(cpu(4)).toEqual([null, 50, 0, 200]);
    const first = sampleNumber(clock.wallMs()) - 4;
    const [memory] = history.series(WEB, { first, count: 4, step: 4 }, ['memory_bytes']);
    expect(memory?.max[0]).toBeCloseTo(1_000, -1);
  });

  it('outlives the daemon, whether it could say goodbye or not', async () => {
    for (let n = 0; n < 8; n += 1) await pass({ web: 1_000_000 });
    // Killed: what was not written yet is lost, two samples here.
    history = open();
    expect(cpu(8)).toEqual([null, 10, 10, 10, 10, 10, null, null]);
    await pass({ web: 1_000_000 });
    await pass({ web: 1_000_000 });
    history.close();
    history = open();
    expect(cpu(2)).toEqual([null, 10]);
  });

  it('has no rate over two runs, and a gap where nothing ran', async () => {
    await pass();
    await pass({ web: 1_000_000 });
    running = [];
    history.ended(WEB);
    usage.cpuUsByName.clear();
    await pass();
    running = [{ name: WEB, run: 2 }];
    await pass({ web: 3_000_000 });
    await pass({ web: 3_000_000 });
    expect(cpu(5)).toEqual([null, 10, null, null, 30]);
    const first = sampleNumber(clock.wallMs()) - 5;
    const [memory] = history.series(WEB, { first, count: 5, step: 1 }, ['memory_bytes']);
    expect(memory?.max.map((value) => value !== null)).toEqual([true, true, false, true, true]);
  });

  it('is gone with the service', async () => {
    for (let n = 0; n < 7; n += 1) await pass({ web: 1_000_000 });
    history.forget(WEB);
    expect(cpu(7)).toEqual(new Array(7).fill(null));
  });

  it('tells once that it cannot be kept, and when it can again; nothing else happens', async () => {
    writeFileSync(join(folder, 'usage'), 'in the way');
    for (let n = 0; n < 14; n += 1) await pass({ web: 1_000_000 });
    expect(troubles).toEqual([expect.stringContaining('what services use cannot be kept: ')]);
    expect(history.warning).toBe(troubles[0]);
    rmSync(join(folder, 'usage'));
    for (let n = 0; n < 20; n += 1) await pass({ web: 1_000_000 });
    expect(troubles).toEqual([expect.any(String), null]);
    expect(history.warning).toBeNull();
  });

  it('goes through many services a slice at a time', async () => {
    running = Array.from({ length: 3_000 }, (_, n) => ({ name: name(`s${n}`), run: 1 }));
    for (const { name: service } of running) usage.cpuUsByName.set(service, 0);
    const glance = usage.glance.bind(usage);
    usage.glance = (service) => {
      const untilMs = performance.now() + 0.02;
      while (performance.now() < untilMs);
      return glance(service);
    };
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await pass();
    isOver = true;
    // 60 ms of work: everything else has its turn every 5 ms.
    expect(turns).toBeGreaterThan(6);
  });
});
