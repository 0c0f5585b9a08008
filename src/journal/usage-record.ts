import { SAMPLE_FIELDS, SAMPLES_KEPT, type UsageSample } from '../model/usage-sample.ts';

/** In the order of {@link SAMPLE_FIELDS}, behind the lap. */
const WORDS = 1 + SAMPLE_FIELDS.length;
export const RECORD_BYTES = 2 * WORDS;

/** What nobody counted. */
const UNKNOWN = 0xffff;
/** Values are kept by their logarithm: each is right to 0.04 % whatever its size, in two bytes. */
const STEPS_PER_DOUBLING = 1_024;
/** Smaller ones are kept as this, but 0 is kept as 0. */
const LEAST_LOG2 = -10;

/** The place of a sample in a ring of a day. */
export function placeOf(sample: number): number {
  return sample % SAMPLES_KEPT;
}

/** How often the ring had gone round before this sample; tells it from those of other days. Never 0. */
function lapOf(sample: number): number {
  return 1 + (Math.floor(sample / SAMPLES_KEPT) % 0xffff);
}

/** Puts a sample into {@link RECORD_BYTES} bytes. */
export function putRecord(bytes: Buffer, at: number, sample: number, values: UsageSample): void {
  bytes.writeUInt16LE(lapOf(sample), at);
  SAMPLE_FIELDS.forEach((field, index) => {
    bytes.writeUInt16LE(toWord(values[field]), at + 2 + 2 * index);
  });
}

/** Whether there is a record of this sample at this byte: not one of another day, or nothing at all. */
export function hasRecord(bytes: Buffer, at: number, sample: number): boolean {
  return at + RECORD_BYTES <= bytes.length && bytes.readUInt16LE(at) === lapOf(sample);
}

/** A value of the record at this byte, by its field's place in {@link SAMPLE_FIELDS}. */
export function valueAt(bytes: Buffer, at: number, field: number): number | null {
  return fromWord(bytes.readUInt16LE(at + 2 + 2 * field));
}

function toWord(value: number | null): number {
  if (value === null || !(value >= 0)) return UNKNOWN;
  if (value === 0) return 0;
  const steps = Math.round((Math.log2(value) - LEAST_LOG2) * STEPS_PER_DOUBLING);
  return Math.min(1 + Math.max(steps, 0), UNKNOWN - 1);
}

function fromWord(word: number): number | null {
  if (word === UNKNOWN) return null;
  return word === 0 ? 0 : 2 ** ((word - 1) / STEPS_PER_DOUBLING + LEAST_LOG2);
}
