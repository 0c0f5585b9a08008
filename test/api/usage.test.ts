import { describe, expect, it } from 'vitest';
import { showUsage, showUsageHistory } from '../../src/api/usage.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import type { ParamsOf } from '../../src/rpc/contract.ts';
import type { UsageRow } from '../../src/rpc/usage-rows.ts';
import { run } from '../builders/situations.ts';
import { MemoryDaemon, status } from './api-rig.ts';

// What it is made of is of no interest here.
const used = (application: string, run: number | null) =>
  ({ application, run, at_monotonic_ms: 5, cpu_us: 7 }) as UsageRow;

const cgroup = { kind: 'populated', pids: [7] } as const;
const web = status('web', [], { cgroup, history: { ...EMPTY_HISTORY, run: run({ number: 4 }) } });

it('tells of all that have a cgroup, with the run that it is of', () => {
  const ports = new MemoryDaemon(web, status('db')).ports({
    usage: (name, run) => (name === 'web' ? used(name, run) : null),
  });
  expect(showUsage(ports, { names: [] }).services).toEqual([
    { application: 'web', run: 4, at_monotonic_ms: 5, cpu_us: 7 },
  ]);
});

it('tells of those that names and patterns mean', () => {
  const ports = new MemoryDaemon(web, status('db'), status('web-2', [], { cgroup })).ports({
    usage: used,
  });
  const names = showUsage(ports, { names: ['web*'] }).services.map((row) => row.application);
  expect(names).toEqual(['web', 'web-2']);
  expect(() => showUsage(ports, { names: ['wbe'] })).toThrow(/cannot find service 'wbe'/);
});

describe('what a service used over time', () => {
  const asked: { first: number; count: number; step: number }[] = [];
  const daemon = new MemoryDaemon(web);
  const ports = daemon.ports({
    usageSeries: (_name, range, fields) => {
      asked.push(range);
      return fields.map((field) => ({ field, mean: [], max: [] }));
    },
  });
  const nowMs = daemon.clock.wallMs();
  const preset: ParamsOf<'usage.history'> = {
    name: 'web',
    from_ms: null,
    until_ms: null,
    points: 360,
    fields: [],
  };
  const ask = (changes: Partial<typeof preset>) => {
    const answer = showUsageHistory(ports, { ...preset, ...changes });
    return { answer, range: asked.at(-1) };
  };

  it('is the last hour, ten seconds to a point, unless told otherwise', () => {
    const { answer, range } = ask({});
    expect(answer).toMatchObject({ application: 'web', step_ms: 20_000 });
    expect(range?.count).toBeGreaterThanOrEqual(361);
    expect(ask({ points: 400 }).answer).toMatchObject({
      step_ms: 10_000,
      from_ms: nowMs - 3_600_000,
    });
    expect(answer.series).toHaveLength(17);
  });

  it('is as many points as asked for at most, which keep their places', () => {
    for (const points of [1, 7, 360, 2_000]) {
      for (const agoMs of [60_000, 3_600_000, 86_400_000, 999_999_999]) {
        const { answer, range } = ask({ points, from_ms: nowMs - agoMs });
        if (points > 1) expect(answer.from_ms % answer.step_ms).toBe(0);
        expect(Math.ceil((range?.count ?? 0) / (range?.step ?? 0))).toBeLessThanOrEqual(points);
        expect(range?.count).toBeLessThanOrEqual(8_640);
      }
    }
  });

  it('is of one service that there is, forwards in time', () => {
    expect(() => ask({ name: 'wbe' })).toThrow(/cannot find service 'wbe'/);
    expect(() => ask({ from_ms: nowMs, until_ms: nowMs - 1 })).toThrow('ends before it begins');
    expect(ask({ until_ms: nowMs + 99_999_999 }).range?.count).toBeGreaterThan(300);
  });
});
