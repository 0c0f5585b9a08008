import * as z from 'zod/mini';
import { exitRow } from './exit-row.ts';
import { statusRow } from './status-row.ts';

const list = <T extends z.core.$ZodType>(item: T) => z.readonly(z.array(item));
const numberOrNull = z.nullable(z.number());
const textOrNull = z.nullable(z.string());

/** One key of a definition with its value in force, as a file would write it. */
const field = z.object({
  key: z.string(),
  /** Secrets are masked. */
  value: z.json(),
  /** The key's line in the file as it is now; null where the default stands (or no file is there). */
  line: numberOrNull,
});

const run = z.object({
  run: z.number(),
  started_at_ms: numberOrNull,
  ended_at_ms: numberOrNull,
  duration_ms: numberOrNull,
  reason: textOrNull,
  /** Null while it goes on, and where its end was never told. */
  exit: z.nullable(z.omit(exitRow, { at_ms: true })),
});

/** What `pmctl describe --format json` prints: the row of `status` and what is behind it. */
export const description = z.object({
  service: statusRow,
  /** Of the spec in force; null when there never was a valid one. */
  spec: z.nullable(list(field)),
  /** The last runs, newest first. */
  runs: list(run),
  warnings: list(z.string()),
});

export type Description = z.output<typeof description>;
export type SpecField = z.output<typeof field>;
export type RunRow = z.output<typeof run>;
