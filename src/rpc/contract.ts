/**
 * Every method there is: what it takes, what it gives, whether it changes anything. One table for
 * the socket, pmctl and the console. Names on the wire are as they are printed: snake_case.
 */
import * as z from 'zod/mini';
import { LEAST_FOR_MS, MOST_FOR_MS, reasonComplaint } from '../model/intent.ts';
import { description } from './description.ts';
import { explanation } from './explanation.ts';
import { begunRun, jobHistoryRow, nextSlotRow, runOutput } from './job-rows.ts';
import { logPosition, logSource, logWindow, pieceBefore, readPiece } from './log-rows.ts';
import { briefRow, eventRow, statusRow } from './status-row.ts';
import { sampleField, usageHistory, usageRow } from './usage-rows.ts';

/** Longest wait a client may ask for. */
const MAX_WAIT_MS = 86_400_000;
const MAX_NAMES = 1_000;
/** Most events or log lines in one answer. */
const MAX_LINES = 10_000;
/** Most logs that one question reads on in. */
const MAX_READS = 32;
/** Most points of one number over time. */
const MAX_POINTS = 2_000;
/** Longest wait for an event to come. */
const MAX_EVENT_WAIT_MS = 60_000;
/** Longest time that a flag may hold: ten years. */
const MAX_TTL_MS = 3_650 * 86_400_000;

const list = <T extends z.core.$ZodType>(item: T) => z.readonly(z.array(item));

const text = z.string('expected text').check(z.maxLength(256, 'expected at most 256 characters'));
const longText = z.string('expected text').check(z.maxLength(4_096, 'expected a path'));
const flag = (preset: boolean) => z._default(z.boolean('expected true or false'), preset);
const between = (least: number, most: number) => {
  const expected = `expected a whole number from ${least} to ${most}`;
  return z.int(expected).check(z.minimum(least, expected), z.maximum(most, expected));
};
const someNames = z
  .array(text, 'expected a list of names')
  .check(z.maxLength(MAX_NAMES, `expected at most ${MAX_NAMES} names`));
const names = someNames.check(z.minLength(1, 'expected at least one name, or all'));

const params = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys.join(', ')}; known: ${Object.keys(shape).join(', ') || 'none'}`
        : 'expected an object of named parameters',
  });

const build = params({ host: text, time: text, version: text });

/** Null: the default, which leaves room for the service's own grace period. */
const timeout = z._default(z.nullable(between(1, MAX_WAIT_MS)), null);

/** Why an operator asks for it: one line, kept in events and conditions. */
const reason = z.optional(
  z.string('expected text').check(
    z.refine((words) => reasonComplaint(words) === null, {
      error: ({ input }) => `expected ${reasonComplaint(String(input))}`,
    }),
  ),
);

const outcome = z.object({
  name: z.string(),
  ok: z.boolean(),
  outcome: z.enum(['done', 'unchanged', 'skipped', 'requested', 'refused', 'failed', 'timeout']),
  /** For people: what is so now, or why not. */
  message: z.string(),
  /** Of a stop: processes that were there, that ended by themselves, that were killed. */
  stop: z.nullable(z.object({ processes: z.number(), ended: z.number(), killed: z.number() })),
});
const outcomes = z.object({ services: list(outcome) });

const problem = z.object({
  file: z.string(),
  line: z.nullable(z.number()),
  column: z.nullable(z.number()),
  key_path: z.string(),
  message: z.string(),
});

const conflict = z.object({ name: z.string(), files: list(z.string()) });
const brake = z.object({ source: z.string(), reason: z.string(), held: list(z.string()) });

/** A service that runs with what a file that its environment is made from no longer says. */
const content = z.object({
  name: z.string(),
  /** The keys that name such files, and how they refer to them. */
  sources: list(z.object({ path: z.string(), reference: z.string() })),
});

/** Most files in one question; a request is bounded, too. */
const MAX_FILES = 1_000;
const proposedFiles = z
  .array(
    params({
      file: z
        .string('expected a path')
        .check(z.maxLength(4_096, 'expected at most 4096 characters')),
      text: z.string('expected text'),
    }),
    'expected a list of files',
  )
  .check(z.maxLength(MAX_FILES, `expected at most ${MAX_FILES} files`));

const change = z.object({
  name: z.string(),
  kind: z.enum(['start', 'restart', 'live', 'stop', 'remove']),
  runs: z.boolean(),
  file: z.string(),
  /** Null of a service that is new. */
  generation_before: z.nullable(z.number()),
  /** Null of a service that is removed. */
  generation_after: z.nullable(z.number()),
  fields: list(
    z.object({
      path: z.string(),
      class: z.enum(['live', 'restart']),
      /** As JSON; null is not set, `***` is a secret. */
      before: z.nullable(z.string()),
      after: z.nullable(z.string()),
      /** Of the new value; null where a default or nothing stands for it. */
      line: z.nullable(z.number()),
    }),
  ),
});

const actionProcesses = z.object({
  processes: list(
    z.object({
      pid: z.number(),
      /** Null where it cannot be told. */
      action: z.nullable(z.string()),
      started_at_ms: z.number(),
      uptime_ms: z.number(),
      command: z.string(),
    }),
  ),
});

export const contract = {
  /** Says which build the client is; every other method but the version ones needs it. */
  hello: { mutates: false, params: params({ build }), result: z.object({ build }) },
  'daemon.version': {
    mutates: false,
    params: params({}),
    result: z.object({
      build,
      pid: z.number(),
      started_at_ms: z.number(),
      uptime_ms: z.number(),
      socket: z.string(),
    }),
  },
  /** What the daemon itself uses, and what happened since it began. */
  'daemon.metrics': {
    mutates: false,
    params: params({}),
    result: z.object({
      started_at_ms: z.number(),
      cpu_us: z.number(),
      resident_bytes: z.number(),
      open_descriptors: z.number(),
      /** The worst of the last minute; null before the first look. */
      loop_delay_ms: z.nullable(z.number()),
      events: list(
        z.object({ application: z.nullable(z.string()), kind: z.string(), count: z.number() }),
      ),
      slots: list(z.object({ application: z.string(), outcome: z.string(), count: z.number() })),
    }),
  },
  /** Who came into the web console, and who did not. Taken from the console alone. */
  'console.note': {
    mutates: true,
    params: params({
      kind: z.enum(['login', 'login-failed', 'logout'], 'expected what happened'),
      user: text,
      address: text,
    }),
    result: z.object({}),
  },
  /** Answered when it is certain to happen; `started_at_ms` is the replaced daemon's. */
  'daemon.restart': {
    mutates: true,
    params: params({}),
    result: z.object({ from: build, to: build, started_at_ms: z.number() }),
  },
  /** No names: all services. */
  status: {
    mutates: false,
    params: params({ names: z._default(someNames, []), detail: flag(false) }),
    result: z.object({ services: list(statusRow), warnings: list(z.string()) }),
  },
  /** The same for tables: what they show, and nothing that must be looked up. */
  'status.brief': {
    mutates: false,
    params: params({ names: z._default(someNames, []) }),
    result: z.object({ services: list(briefRow), warnings: list(z.string()) }),
  },
  /** Why one service is as it is, and what happens next. */
  'services.why': { mutates: false, params: params({ name: text }), result: explanation },
  /** One service with its spec in force and its last runs. */
  'services.describe': { mutates: false, params: params({ name: text }), result: description },
  'services.start': {
    mutates: true,
    params: params({ names, force: flag(false), wait: flag(true), timeout_ms: timeout, reason }),
    result: outcomes,
  },
  /** With `for_ms` it is over after that time, whoever runs the daemon then. */
  'services.stop': {
    mutates: true,
    params: params({
      names,
      wait: flag(true),
      timeout_ms: timeout,
      reason,
      for_ms: z.optional(between(LEAST_FOR_MS, MOST_FOR_MS)),
    }),
    result: outcomes,
  },
  'services.restart': {
    mutates: true,
    params: params({ names, wait: flag(true), timeout_ms: timeout, reason }),
    result: outcomes,
  },
  /** Waits until it is so, whoever brings it about. Half a minute unless told otherwise. */
  'services.wait': {
    mutates: false,
    params: params({
      names,
      state: z._default(z.enum(['running', 'stopped'], 'expected running or stopped'), 'running'),
      timeout_ms: timeout,
    }),
    result: z.object({
      services: list(
        z.object({
          application: z.string(),
          /** When the waiting was over; null for one that is not defined any more. */
          phase: z.nullable(z.string()),
          reached: z.boolean(),
          waited_ms: z.number(),
        }),
      ),
    }),
  },
  /** Write `global.enabled` into the definitions, then wait until it has come true. */
  'services.enable': {
    mutates: true,
    params: params({ names, wait: flag(true), timeout_ms: timeout, reason }),
    result: outcomes,
  },
  'services.disable': {
    mutates: true,
    params: params({ names, wait: flag(true), timeout_ms: timeout, reason }),
    result: outcomes,
  },
  'sources.update': {
    mutates: true,
    params: params({ prune: flag(false) }),
    result: z.object({
      accepted: list(z.string()),
      changed: list(z.string()),
      removed: list(z.string()),
      problems: list(problem),
      conflicts: list(conflict),
      brakes: list(brake),
      contents: list(content),
    }),
  },
  /** What an update would do now; with files, what putting these in place would. */
  'sources.diff': {
    mutates: false,
    params: params({ prune: flag(false), files: z._default(proposedFiles, []) }),
    result: z.object({
      changes: list(change),
      unchanged: z.number(),
      problems: list(problem),
      conflicts: list(conflict),
      brakes: list(brake),
    }),
  },
  /**
   * Events, oldest first: the newest `limit`, or the oldest `limit` after a number. No names: all,
   * also those of the daemon. When there are none, `wait_ms` waits for one. `next_seq` is where to
   * go on; a `last_seq` below what a client was told is another journal's, which begins at 1.
   */
  'events.list': {
    mutates: false,
    params: params({
      names: z._default(someNames, []),
      limit: z._default(between(1, MAX_LINES), 200),
      after_seq: z._default(z.nullable(between(0, Number.MAX_SAFE_INTEGER)), null),
      since_ms: z._default(z.nullable(between(0, Number.MAX_SAFE_INTEGER)), null),
      wait_ms: z._default(between(0, MAX_EVENT_WAIT_MS), 0),
    }),
    result: z.object({ events: list(eventRow), next_seq: z.number(), last_seq: z.number() }),
  },
  /** Puts flags on services, or gives those that are there another end; null: for good. */
  'flags.set': {
    mutates: true,
    params: params({
      names,
      flags: names,
      ttl_ms: z._default(z.nullable(between(1, MAX_TTL_MS)), null),
    }),
    result: outcomes,
  },
  /** Takes flags off services; `all` means all of them. */
  'flags.clear': { mutates: true, params: params({ names, flags: names }), result: outcomes },
  /** Runs a job now; answered when it has begun. Its output is read with `jobs.output`. */
  'jobs.run': {
    mutates: true,
    params: params({ name: text, force: flag(false), reason }),
    result: begunRun,
  },
  'jobs.output': {
    mutates: false,
    params: params({
      name: text,
      run: between(0, Number.MAX_SAFE_INTEGER),
      positions: z.array(logPosition).check(z.maxLength(2)),
    }),
    result: runOutput,
  },
  /** How slots and runs of jobs went, oldest first: the newest `limit`. No name: all jobs. */
  'jobs.history': {
    mutates: false,
    params: params({
      name: z._default(z.nullable(text), null),
      since_ms: z._default(z.nullable(between(0, Number.MAX_SAFE_INTEGER)), null),
      failed: flag(false),
      limit: z._default(between(1, MAX_LINES), 50),
    }),
    result: z.object({ slots: list(jobHistoryRow) }),
  },
  /**
   * What services use, read now: those of the named ones (all, when none is named) that have a cgroup.
   * Who asks again and again costs less than who asks anew.
   */
  usage: {
    mutates: false,
    params: params({ names: z._default(list(text), []) }),
    result: z.object({ services: list(usageRow) }),
  },
  /**
   * What a service used over the last day, also before it was restarted: at most `points` of each number,
   * ten seconds at least to a point. Without times the last hour.
   */
  'usage.history': {
    mutates: false,
    params: params({
      name: text,
      from_ms: z._default(z.nullable(between(0, Number.MAX_SAFE_INTEGER)), null),
      until_ms: z._default(z.nullable(between(0, Number.MAX_SAFE_INTEGER)), null),
      points: z._default(between(1, MAX_POINTS), 360),
      /** None: all. */
      fields: z._default(z.array(sampleField, 'expected a list of fields'), []),
    }),
    result: usageHistory,
  },
  /** The slots to come, soonest first. No name: of all jobs. */
  'jobs.next': {
    mutates: false,
    params: params({
      name: z._default(z.nullable(text), null),
      limit: z._default(between(1, MAX_LINES), 10),
    }),
    result: z.object({ slots: list(nextSlotRow) }),
  },
  /** The commands that the master config lets operators run. */
  'admin.list': {
    mutates: false,
    params: params({}),
    result: z.object({
      actions: list(z.object({ id: z.string(), label: z.string(), command: list(z.string()) })),
    }),
  },
  /** Begins one, as root; answered when its process is there. Nobody waits for its end. */
  'admin.run': {
    mutates: true,
    params: params({ id: text, reason }),
    result: z.object({
      id: z.string(),
      pid: z.number(),
      stdout_path: z.string(),
      stderr_path: z.string(),
    }),
  },
  /** What runs of them, oldest first. */
  'admin.ps': { mutates: false, params: params({}), result: actionProcesses },
  /** Ends all of that at once; tells what there was. */
  'admin.kill': { mutates: true, params: params({ reason }), result: actionProcesses },
  /** Which files the output of a service is in, or (`or_file`) those of this base name of all. */
  'logs.sources': {
    mutates: false,
    params: params({
      /** Null: of all services. */
      name: z.nullable(text),
      or_file: flag(false),
      /** Gives the time of the run before the last one. */
      previous: flag(false),
    }),
    result: z.object({ sources: list(logSource), window: z.nullable(logWindow) }),
  },
  /** Where the last lines of a log begin, or those of a time or later, somewhat before. */
  'logs.start': {
    mutates: false,
    params: params({
      application: text,
      path: longText,
      /** Null: from `since_ms` on, or all. */
      lines: z._default(z.nullable(between(0, MAX_LINES)), null),
      since_ms: z._default(z.nullable(between(0, Number.MAX_SAFE_INTEGER)), null),
    }),
    result: z.object({
      position: logPosition,
      /** Why it could not be looked at; then the position is before everything. */
      problem: z.exactOptional(z.string()),
    }),
  },
  /** What stands after positions in logs, a bounded piece of each that has something. */
  'logs.read': {
    mutates: false,
    params: params({
      reads: z
        .array(params({ application: text, path: longText, position: logPosition }))
        .check(z.maxLength(MAX_READS, `expected at most ${MAX_READS} files`)),
      until_ms: z._default(z.nullable(between(0, Number.MAX_SAFE_INTEGER)), null),
      to_the_end: flag(false),
    }),
    result: z.object({ pieces: list(readPiece) }),
  },
  /** Reads back in one file. A hint has nothing before what was read of it first. */
  'logs.before': {
    mutates: false,
    params: params({ application: text, path: longText, position: logPosition }),
    result: pieceBefore,
  },
  'logs.tail': {
    mutates: false,
    params: params({ name: text, lines: z._default(between(1, MAX_LINES), 50) }),
    result: z.object({
      files: list(
        z.object({
          path: z.string(),
          lines: list(z.string()),
          truncated: z.boolean(),
          /** Why the lines are not known, where they are not. */
          problem: z.exactOptional(z.string()),
        }),
      ),
    }),
  },
} as const;

type Contract = typeof contract;
export type MethodName = keyof Contract;
/** What a handler gets: defaults filled in. */
export type ParamsOf<M extends MethodName> = z.output<Contract[M]['params']>;
/** What a client sends: what has a default may be left out. */
export type RequestOf<M extends MethodName> = z.input<Contract[M]['params']>;
export type ResultOf<M extends MethodName> = z.output<Contract[M]['result']>;
export type Outcome = z.output<typeof outcome>;

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(contract, name);
}
