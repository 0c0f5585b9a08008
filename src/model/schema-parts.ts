/**
 * What the two config schemas are made of. Built on zod/mini: full zod costs 10 MB (see
 * docs/performance). Every part says "expected …, got …" itself, in the words of the file.
 */
import * as z from 'zod/mini';
import { CPU_GRAMMAR, parseCpu } from '../lib/cpu.ts';
import { DURATION_GRAMMAR, formatDuration, parseDuration } from '../lib/duration.ts';
import { FILE_MODE_GRAMMAR, formatFileMode, parseFileMode } from '../lib/file-mode.ts';
import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';
import { parseSize, SIZE_GRAMMAR } from '../lib/size.ts';
import { describeValue, isMap, Literal, textOf } from './literal.ts';

// Compiled validators are for hot paths; here they only cost memory.
z.config({ jitless: true });

/** JSON Schema of what may be written. */
export type JsonForm = Readonly<Record<string, unknown>>;

interface LeafOptions<T> {
  /** Keeps the value out of messages. */
  readonly secret?: boolean;
  /** What may be written, for editors (scripts/build-schema): may take more than `read`, never less. */
  readonly json?: JsonForm;
  /** How a value is written, for those where that is not its JSON. */
  readonly show?: (value: T) => string;
}

/** The `json` and `show` of a leaf, by its schema. */
export const leafForms = new WeakMap<
  z.core.$ZodType,
  { readonly json: JsonForm; readonly show?: (value: never) => string }
>();

const SCALAR: JsonForm = { type: ['string', 'number', 'boolean'] };
const NOT_EMPTY: JsonForm = { ...SCALAR, minLength: 1 };

/** A value that a function understands or says what it expected instead. */
export function leaf<T>(
  read: (input: unknown) => Parsed<T>,
  { secret = false, json = {}, ...form }: LeafOptions<T> = {},
) {
  const schema = z.pipe(
    z.unknown(),
    z.transform((input: unknown, context): T => {
      const result = read(input);
      if (result.ok) return result.value;
      const isHidden = secret && textOf(input) !== undefined;
      const got = result.got ?? (isHidden ? 'another value' : describeValue(input));
      context.issues.push({
        code: 'custom',
        input,
        message: `expected ${result.expected}, got ${got}`,
      });
      return z.NEVER;
    }),
  );
  leafForms.set(schema, { json, ...form });
  return schema;
}

/** A leaf whose source text is parsed, however YAML would have typed it. */
export function quantity<T>(parse: (text: string) => Parsed<T>, options: LeafOptions<T> = {}) {
  return leaf((input) => parse(textOf(input) ?? ''), { json: SCALAR, ...options });
}

/** A map with known keys only; an empty one (`logs:` with nothing below it) has its defaults. */
export function section<const Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape);
  const strict = z.strictObject(shape, {
    // Only what interpret() makes its messages of, as it knows the other sections.
    error: (issue) => (issue.code === 'unrecognized_keys' ? known.join('\n') : undefined),
  });
  return z.pipe(mapOnly('a map of keys'), strict);
}

/** A map whose keys are the user's. */
export function mapOf<V extends z.core.$ZodType>(expected: string, values: V) {
  return z.pipe(mapOnly(expected), z.record(z.string(), values));
}

/** A list, possibly empty. */
export function listOf<V extends z.core.$ZodType>(expected: string, items: V) {
  return z.array(items, {
    error: (issue) => `expected ${expected}, got ${describeValue(issue.input)}`,
  });
}

/** A string (or the source text of another scalar) that is not empty and holds no NUL. */
export function text(expected: string) {
  return quantity(
    (value) => (value === '' || value.includes('\0') ? unparsed(expected) : parsed(value)),
    { json: NOT_EMPTY },
  );
}

/** Any scalar, as it was written. */
export function anyScalar(expected: string, options: LeafOptions<string> = {}) {
  return leaf(
    (input) => {
      const value = textOf(input);
      return value === undefined || value.includes('\0') ? unparsed(expected) : parsed(value);
    },
    { json: SCALAR, ...options },
  );
}

/** One of some words. */
export function oneOf<const W extends string>(...words: readonly W[]) {
  return quantity(
    (value): Parsed<W> => {
      const word = words.find((candidate) => candidate === value);
      return word === undefined ? unparsed(`one of ${words.join(', ')}`) : parsed(word);
    },
    { json: { enum: words } },
  );
}

/** A whole number between two bounds, both included. */
export function wholeNumber(what: string, min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  const most = max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max };
  return leaf(
    (input) => {
      const value = input instanceof Literal ? input.value : input;
      const isInRange = typeof value === 'number' && value >= min && value <= max;
      return isInRange && Number.isSafeInteger(value)
        ? parsed(value)
        : unparsed(`${what} ${range}`);
    },
    { json: { type: 'integer', minimum: min, ...most } },
  );
}

/** `true` or `false`. */
export function flag() {
  return leaf(
    (input) => {
      const value = input instanceof Literal ? input.value : input;
      return typeof value === 'boolean' ? parsed(value) : unparsed('true or false');
    },
    { json: { type: 'boolean' } },
  );
}

/** `MAX` (given as null) or what `parse` understands, whose strings match `grammar`. */
export function orMax<T>(
  parse: (text: string) => Parsed<T>,
  grammar: RegExp,
  { json, ...rest }: LeafOptions<T | null> & { readonly json: JsonForm },
) {
  return quantity(
    (value): Parsed<T | null> => {
      if (isMax(value)) return parsed(null);
      const result = parse(value);
      return result.ok ? result : unparsed(`${result.expected}, or MAX`);
    },
    { json: { ...json, pattern: anyOf(grammar, MAX_WORD) }, ...rest },
  );
}

const MAX_WORD = /^[Mm][Aa][Xx]$/;

/** Whether a raw value is the word for "no limit". */
export function isMax(input: unknown): boolean {
  return typeof input === 'string' && MAX_WORD.test(input);
}

/** What a text that one of these understands looks like, in JSON Schema. */
function anyOf(...grammars: readonly RegExp[]): string {
  return grammars.map(({ source }) => source).join('|');
}

const MIB = 1024 ** 2;
const WHOLE: JsonForm = { type: ['integer', 'string'], minimum: 0, minLength: 1 };

export const cpus = quantity(parseCpu, {
  json: {
    type: ['number', 'string'],
    exclusiveMinimum: 0,
    pattern: anyOf(CPU_GRAMMAR, MAX_WORD),
  },
});
export const duration = quantity((value) => parseDuration(value), {
  json: { type: 'string', minLength: 1, pattern: anyOf(DURATION_GRAMMAR) },
  show: formatDuration,
});
export const milliseconds = quantity((value) => parseDuration(value, { bareMilliseconds: true }), {
  json: { ...WHOLE, pattern: anyOf(/^\d+$/, DURATION_GRAMMAR) },
});
export const size = quantity(parseSize, {
  json: { ...WHOLE, pattern: anyOf(SIZE_GRAMMAR) },
  show: (bytes) => (bytes % MIB === 0 ? `${bytes / MIB}MiB` : String(bytes)),
});
export const sizeOrMax = orMax(parseSize, SIZE_GRAMMAR, { json: WHOLE });
export const fileMode = quantity(parseFileMode, {
  json: { ...WHOLE, pattern: anyOf(FILE_MODE_GRAMMAR) },
  show: formatFileMode,
});
export const path = text('a path');
export const account = text('a name or a numeric id');

/** The command and its arguments. */
export const argv = leaf(readArgv, { json: { type: 'array', minItems: 1, items: SCALAR } });

const ARGV = 'a list of a command and its arguments such as ["/bin/sleep", "10"]';

function readArgv(input: unknown): Parsed<readonly [string, ...string[]]> {
  if (!Array.isArray(input)) return unparsed(ARGV);
  const odd = input.find((word, at) => !isWord(word) || (at === 0 && word === ''));
  if (input.length > 0 && odd !== undefined) {
    return unparsed(ARGV, `a list with ${describeValue(odd)} in it`);
  }
  const [command, ...rest] = input.flatMap((word) => textOf(word) ?? []);
  return command === undefined ? unparsed(ARGV) : parsed([command, ...rest]);
}

function isWord(input: unknown): boolean {
  return textOf(input)?.includes('\0') === false;
}

function mapOnly(expected: string) {
  return leaf((input): Parsed<Readonly<Record<string, unknown>>> => {
    if (input === null) return parsed({});
    return isMap(input) ? parsed(input) : unparsed(expected);
  });
}
