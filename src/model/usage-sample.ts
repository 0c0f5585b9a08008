/** The numbers that are kept of what a service used, ten seconds at a time. */
export const SAMPLE_FIELDS = [
  'cpu_percent',
  'throttled_percent',
  'memory_bytes',
  'memory_working_set_bytes',
  'memory_anon_bytes',
  'swap_bytes',
  'io_read_bytes_per_s',
  'io_write_bytes_per_s',
  'io_reads_per_s',
  'io_writes_per_s',
  'pids',
  'cpu_some_percent',
  'cpu_full_percent',
  'memory_some_percent',
  'memory_full_percent',
  'io_some_percent',
  'io_full_percent',
] as const;

export type SampleField = (typeof SAMPLE_FIELDS)[number];

/** What a service used in {@link SAMPLE_MS}, or had at the end of it; `null` is what nobody counted. */
export type UsageSample = Readonly<Record<SampleField, number | null>>;

/** One number over time, `null` where nothing of the service ran or nobody counted it. */
export interface UsageSeries {
  readonly field: SampleField;
  readonly mean: readonly (number | null)[];
  readonly max: readonly (number | null)[];
}

/** Samples begin at whole multiples of it since the epoch. */
export const SAMPLE_MS = 10_000;

/** A day of them. */
export const SAMPLES_KEPT = 8_640;

/** The number of the sample that a moment belongs to. */
export function sampleNumber(wallMs: number): number {
  return Math.floor(wallMs / SAMPLE_MS);
}
