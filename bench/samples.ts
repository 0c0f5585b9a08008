export const METRICS = [
  'spawnMs',
  'privateDirtyMib',
  'rssMib',
  'statusMs',
  'restartMs',
  'idleCpuMs',
] as const;
export type Metric = (typeof METRICS)[number];

/** Who was measured: a peer by its name, or a Node that runs nothing. */
export type Subject = string;
export const BARE_NODE: Subject = 'bare node';

/** Every single measurement of a run. */
export class Samples {
  readonly #values = new Map<string, number[]>();

  add(metric: Metric, subject: Subject, count: number, value: number): void {
    const key = `${metric} ${subject} ${count}`;
    const values = this.#values.get(key) ?? [];
    this.#values.set(key, [...values, value]);
  }

  /** The median, or null when nothing was measured. */
  median(metric: Metric, subject: Subject, count: number): number | null {
    const sorted = [...this.all(metric, subject, count)].sort((a, b) => a - b);
    const upper = sorted[Math.floor(sorted.length / 2)];
    const lower = sorted[Math.floor((sorted.length - 1) / 2)];
    return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
  }

  all(metric: Metric, subject: Subject, count: number): readonly number[] {
    return this.#values.get(`${metric} ${subject} ${count}`) ?? [];
  }
}
