import * as z from 'zod/mini';
import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';
import { parseSize, SIZE_GRAMMAR } from '../lib/size.ts';
import { isMap, Literal, textOf } from './literal.ts';
import { type JsonForm, leaf, section } from './schema-parts.ts';
import type { ResourceLimit } from './service-spec.ts';

/** The limits of setrlimit(2) that count bytes, so that `64MiB` makes sense. */
const BYTES = ['as', 'core', 'data', 'fsize', 'memlock', 'msgqueue', 'rss', 'stack'] as const;
const COUNTS = [
  'cpu',
  'locks',
  'nice',
  'nofile',
  'nproc',
  'rtprio',
  'rttime',
  'sigpending',
] as const;

const EXPECTED = 'a whole number, unlimited, or {soft, hard} with soft not above hard';

type Bounds = Omit<ResourceLimit, 'name'>;
type ReadBound = (input: unknown) => Parsed<number | null>;

const bytes = z.optional(
  bounds((input) => parseSize(textOf(input) ?? ''), {
    type: ['integer', 'string'],
    minimum: 0,
    pattern: `^unlimited$|${SIZE_GRAMMAR.source}`,
  }),
);
const count = z.optional(
  bounds(wholeNumber, { type: ['integer', 'string'], minimum: 0, pattern: '^unlimited$' }),
);

/** `nofile: 65536`, `memlock: unlimited`, `nproc: {soft: 100, hard: 200}`. */
export const resourceLimits = section({
  as: bytes,
  core: bytes,
  cpu: count,
  data: bytes,
  fsize: bytes,
  locks: count,
  memlock: bytes,
  msgqueue: bytes,
  nice: count,
  nofile: count,
  nproc: count,
  rss: bytes,
  rtprio: count,
  rttime: count,
  sigpending: count,
  stack: bytes,
});

/** The limits that are set, by name. */
export function listLimits(limits: z.output<typeof resourceLimits>): readonly ResourceLimit[] {
  return [...BYTES, ...COUNTS].toSorted().flatMap((name) => {
    const bound = limits[name];
    return bound === undefined ? [] : [{ name, ...bound }];
  });
}

function bounds(read: ReadBound, json: JsonForm) {
  const properties = { soft: json, hard: json };
  const both = {
    type: 'object',
    properties,
    required: ['soft', 'hard'],
    additionalProperties: false,
  };
  return leaf(
    (input): Parsed<Bounds> => {
      const soft = bound(isMap(input) ? input.soft : input, read);
      const hard = bound(isMap(input) ? input.hard : input, read);
      const hasOthers = isMap(input) && Object.keys(input).length !== 2;
      if (!soft.ok || !hard.ok || hasOthers || isAbove(soft.value, hard.value))
        return unparsed(EXPECTED);
      return parsed({ soft: soft.value, hard: hard.value });
    },
    { json: { anyOf: [json, both] } },
  );
}

function bound(input: unknown, read: ReadBound): Parsed<number | null> {
  return input === 'unlimited' ? parsed(null) : read(input);
}

function isAbove(soft: number | null, hard: number | null): boolean {
  return hard !== null && (soft === null || soft > hard);
}

function wholeNumber(input: unknown): Parsed<number> {
  const value = input instanceof Literal ? input.value : input;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? parsed(value)
    : unparsed(EXPECTED);
}
