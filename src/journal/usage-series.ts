import { SAMPLE_FIELDS, type SampleField, type UsageSeries } from '../model/usage-sample.ts';
import { hasRecord, RECORD_BYTES, valueAt } from './usage-record.ts';

/**
 * Samples, `step` of them to a point. Pure.
 *
 * @param bytes records from the sample `first` on
 */
export function seriesOf(
  bytes: Buffer,
  first: number,
  step: number,
  fields: readonly SampleField[],
): readonly UsageSeries[] {
  const count = Math.floor(bytes.length / RECORD_BYTES);
  const places = Array.from({ length: count }, (_, n) => n * RECORD_BYTES).filter((at) =>
    hasRecord(bytes, at, first + at / RECORD_BYTES),
  );
  const points = Math.ceil(count / step);
  return fields.map((field) => {
    const index = SAMPLE_FIELDS.indexOf(field);
    const mean = new Mean(points);
    for (const at of places) {
      const value = valueAt(bytes, at, index);
      if (value !== null) mean.note(Math.floor(at / RECORD_BYTES / step), value);
    }
    return { field, mean: mean.means(), max: mean.max };
  });
}

/** Mean and greatest of each point's values. */
class Mean {
  readonly max: (number | null)[];
  readonly #sums: number[];
  readonly #counts: number[];

  constructor(points: number) {
    this.max = new Array<number | null>(points).fill(null);
    this.#sums = new Array<number>(points).fill(0);
    this.#counts = new Array<number>(points).fill(0);
  }

  note(point: number, value: number): void {
    this.max[point] = Math.max(this.max[point] ?? 0, value);
    this.#sums[point] = (this.#sums[point] ?? 0) + value;
    this.#counts[point] = (this.#counts[point] ?? 0) + 1;
  }

  means(): readonly (number | null)[] {
    return this.#counts.map((count, point) =>
      count === 0 ? null : (this.#sums[point] ?? 0) / count,
    );
  }
}
