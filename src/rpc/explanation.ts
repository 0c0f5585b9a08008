import * as z from 'zod/mini';
import { exitRow } from './exit-row.ts';

const list = <T extends z.core.$ZodType>(item: T) => z.readonly(z.array(item));
const numberOrNull = z.nullable(z.number());
const textOrNull = z.nullable(z.string());

/** A place in a file; 1-based, null where the file as a whole is meant or the line is not known. */
const place = z.object({ file: z.string(), line: numberOrNull, column: numberOrNull });

const decision = z.object({
  kind: z.enum(['definition', 'operator', 'policy', 'daemon', 'brake']),
  /** Of a definition or a policy: where it says so. */
  file: textOrNull,
  line: numberOrNull,
  /** Of an operator. */
  actor: textOrNull,
  at_ms: numberOrNull,
  /** When it is over by itself; null is never. */
  until_ms: numberOrNull,
  /** Of an operator: in the operator's own words. */
  reason: textOrNull,
});

/** The newest definition in force, and what is wrong with the one that is there now. */
const definition = z.object({
  file: textOrNull,
  generation: numberOrNull,
  /** What became of it since, and waits for `pmctl update` (`global.apply: manual`). */
  waiting: z.nullable(z.enum(['changed', 'removed'])),
  trouble: z.nullable(
    z.object({
      kind: z.enum(['invalid', 'conflict', 'held']),
      at_ms: numberOrNull,
      places: list(z.extend(place, { message: z.string() })),
    }),
  ),
});

/** The restarts that the policy counts, at most `max` within `within_ms`. */
const restarts = z.object({
  policy: z.enum(['always', 'on-failure', 'never']),
  max: z.number(),
  within_ms: z.number(),
  /** Those that counted when it ended last (or count now, while it runs), oldest first. */
  at_ms: list(z.number()),
  /** Ends in a row, each after less than a minute. */
  failures_in_a_row: z.number(),
  /** The ends of the last runs, newest first. */
  last_exits: list(z.object({ run: z.number(), message: z.string(), at_ms: numberOrNull })),
});

/** What happens by itself, and when; `in_ms` is null where that is not known. */
const next = z.object({
  action: z.enum(['start', 'stop', 'kill', 'kill_again', 'lift', 'retry', 'look']),
  message: z.string(),
  in_ms: numberOrNull,
  at_ms: numberOrNull,
});

/** What `pmctl why --format json` prints. Times are wall times in milliseconds since the epoch. */
export const explanation = z.object({
  application: z.string(),
  phase: z.string(),
  /** The answer in one sentence, without a full stop. */
  summary: z.string(),
  /** When all of this was so. */
  at_ms: z.number(),
  desired: z.object({
    wanted: z.enum(['run', 'stop', 'remove', 'hold']),
    because: z.string(),
    decided_by: decision,
  }),
  definition,
  observed: z.object({
    actual: z.enum(['RUNNING', 'STOPPED', 'UNKNOWN']),
    /** How many processes there are; `pids` has the first of them, the main process before others. */
    processes: z.number(),
    pids: list(z.object({ pid: z.number(), command: z.string(), uptime_ms: z.number() })),
    main_pid: numberOrNull,
    /** When the run that goes on began, or the last one was over. */
    since_ms: numberOrNull,
    run: numberOrNull,
  }),
  conditions: list(z.object({ type: z.string(), message: z.string() })),
  /** The newest events, oldest first. */
  transitions: list(
    z.object({ at_ms: z.number(), kind: z.string(), message: z.string(), actor: z.string() }),
  ),
  last_exit: z.nullable(
    z.extend(exitRow, {
      /** For people: the signal's meaning, what shells mean by a code, the stage of a start. */
      decoded: z.string(),
      stage: textOrNull,
      run: numberOrNull,
      ran_ms: numberOrNull,
      /** Why it was stopped; null when it ended by itself. */
      stopped_because: textOrNull,
      killed: z.number(),
    }),
  ),
  restarts: z.nullable(restarts),
  next: z.nullable(next),
  /** What can be done; a hint without a command is something to do by hand. */
  ways_out: list(z.object({ command: textOrNull, hint: z.string() })),
  stderr: z.nullable(
    z.object({
      path: z.string(),
      lines: list(z.string()),
      /** Why it cannot be read. */
      error: textOrNull,
    }),
  ),
});

export type Explanation = z.output<typeof explanation>;
