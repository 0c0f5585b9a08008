import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { UsageFiles } from '../../src/journal/usage-files.ts';
import { putRecord, RECORD_BYTES } from '../../src/journal/usage-record.ts';
import { seriesOf } from '../../src/journal/usage-series.ts';
import {
  SAMPLE_FIELDS,
  SAMPLE_MS,
  SAMPLES_KEPT,
  sampleNumber,
  type UsageSample,
} from '../../src/model/usage-sample.ts';
import { name, WEB } from '../builders/specs.ts';

const NOW_MS = Date.UTC(2026, 4, 3, 12, 0, 0);
const NOW = sampleNumber(NOW_MS);
const DAY_MS = SAMPLES_KEPT * SAMPLE_MS;

function sample(changes: Partial<UsageSample> = {}): UsageSample {
  const nothing = Object.fromEntries(SAMPLE_FIELDS.map((field) => [field, null]));
  return { ...(nothing as UsageSample), ...changes };
}

function records(first: number, samples: readonly UsageSample[]) {
  const bytes = Buffer.alloc(samples.length * RECORD_BYTES);
  samples.forEach((each, n) => {
    putRecord(bytes, n * RECORD_BYTES, first + n, each);
  });
  return { first, bytes };
}

function cpu(bytes: Buffer, first: number, step = 1) {
  const [series] = seriesOf(bytes, first, step, ['cpu_percent']);
  return series;
}

describe('samples in files', () => {
  let folder: string;
  let files: UsageFiles;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'usage-')), 'usage');
    onTestFinished(() => rmSync(join(folder, '..'), { recursive: true, force: true }));
    files = new UsageFiles(folder);
  });

  it('come back as they were to a tenth of a percent, nothing as nothing, 0 as 0', () => {
    const value = fc.oneof(
      fc.constantFrom(null, 0),
      fc.double({ min: 0.001, max: 2 ** 50, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 50 }),
        fc.nat(20_000),
        (values, at) => {
          const { bytes } = records(
            NOW + at,
            values.map((cpu_percent) => sample({ cpu_percent })),
          );
          const read = cpu(bytes, NOW + at)?.mean ?? [];
          values.forEach((wanted, n) => {
            if (wanted === null || wanted === 0) expect(read[n]).toBe(wanted);
            else expect(Math.abs((read[n] ?? 0) / wanted - 1)).toBeLessThan(0.001);
          });
        },
      ),
    );
  });

  it('are gaps where none was taken, and those of the day before are none of today', () => {
    files.write(WEB, records(NOW - SAMPLES_KEPT, [sample({ cpu_percent: 10 })]));
    files.write(WEB, records(NOW + 1, [sample({ cpu_percent: 20 })]));
    const today = cpu(files.read(WEB, NOW, 3), NOW)?.max ?? [];
    expect(today[0]).toBeNull();
    expect(today[1]).toBeCloseTo(20, 1);
    expect(today[2]).toBeNull();
  });

  it('go on at the beginning of the file where it ends', () => {
    const end = NOW - (NOW % SAMPLES_KEPT) + SAMPLES_KEPT;
    const values = [1, 2, 3, 4].map((cpu_percent) => sample({ cpu_percent }));
    files.write(WEB, records(end - 2, values));
    const read = cpu(files.read(WEB, end - 2, 4), end - 2)?.mean ?? [];
    expect(read.map((value) => Math.round(value ?? -1))).toEqual([1, 2, 3, 4]);
    expect(statSync(join(folder, 'web.ring')).size).toBe(SAMPLES_KEPT * RECORD_BYTES);
  });

  it('become points with their mean and their greatest', () => {
    const values = [10, 30, null, 50, 100].map((cpu_percent) => sample({ cpu_percent }));
    const series = cpu(records(NOW, values).bytes, NOW, 2);
    expect(series?.mean.map((value) => Math.round(value ?? -1))).toEqual([20, 50, 100]);
    expect(series?.max.map((value) => Math.round(value ?? -1))).toEqual([30, 50, 100]);
  });

  it('take no more than a day, for root only, and go when they are a day old or removed', () => {
    const batch = (first: number) => records(first, [sample({ pids: 1 })]);
    for (let day = 0; day < 3; day += 1) files.write(WEB, batch(NOW + day * SAMPLES_KEPT - 1));
    files.write(name('old'), batch(NOW));
    files.write(name('gone'), batch(NOW));
    expect(statSync(join(folder, 'web.ring')).size).toBeLessThanOrEqual(
      SAMPLES_KEPT * RECORD_BYTES,
    );
    expect([
      statSync(folder).mode & 0o777,
      statSync(join(folder, 'web.ring')).mode & 0o777,
    ]).toEqual([0o700, 0o600]);
    const old = new Date(NOW_MS - DAY_MS - 1_000);
    utimesSync(join(folder, 'web.ring'), new Date(NOW_MS), new Date(NOW_MS));
    utimesSync(join(folder, 'old.ring'), old, old);
    files.remove(name('gone'));
    // A new daemon knows them, too.
    new UsageFiles(folder).prune(NOW_MS);
    expect(readdirSync(folder)).toEqual(['web.ring']);
  });

  it('are not put where others may write', () => {
    files.write(WEB, records(NOW, [sample()]));
    chmodSync(folder, 0o777);
    const again = new UsageFiles(folder);
    expect(() => again.write(WEB, records(NOW, [sample()]))).toThrow('others than root may write');
  });

  it('of a service that has none are gaps', () => {
    expect(cpu(files.read(WEB, NOW, 2), NOW)?.mean).toEqual([null, null]);
  });
});
