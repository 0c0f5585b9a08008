import * as z from 'zod/mini';

const count = z.int().check(z.minimum(0));

/** A place in a log, also when its file is put aside or compressed. Give it back as it is. */
export const logPosition = z.object({
  /** 0: before everything. */
  inode: count,
  offset: count,
  modified_ms: z.number(),
  head_bytes: count,
  head_crc: count,
});

/** A file of a service's output, with its backups. */
export const logSource = z.object({
  application: z.string(),
  path: z.string(),
  stream: z.enum(['stdout', 'stderr', 'hint']),
});

/** When a run was. */
export const logWindow = z.object({
  run: z.number(),
  since_ms: z.number(),
  until_ms: z.number(),
});

/** What stands after a position. */
export const readPiece = z.object({
  /** Whole lines, but for one that is longer than a piece, or not written to its end. */
  text: z.string(),
  position: logPosition,
  /** When its file was last written to. */
  modified_ms: z.nullable(z.number()),
  /** There was no more. */
  at_end: z.boolean(),
  /** Something before it may be missing: files were emptied, replaced or removed. */
  gap: z.boolean(),
  /** Why it could not be read. */
  problem: z.exactOptional(z.string()),
});

/** What stands before a position. */
export const pieceBefore = z.object({
  /** Whole lines, but for one that is longer than a piece. */
  text: z.string(),
  /** Where it begins. */
  position: logPosition,
  /** There was nothing more. */
  at_start: z.boolean(),
  /** The position's file was emptied, replaced or removed. */
  gap: z.boolean(),
  /** Why it could not be read. */
  problem: z.exactOptional(z.string()),
});

export type LogPosition = z.output<typeof logPosition>;
export type LogSourceRow = z.output<typeof logSource>;
export type ReadPiece = z.output<typeof readPiece>;
export type PieceBefore = z.output<typeof pieceBefore>;
