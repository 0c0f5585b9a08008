/**
 * What the two config schemas are made of. Built on zod/mini: full zod costs 10 MB (see
 * docs/performance). Every part says "expected …, got …" itself, in the words of the file.
 */
import * as z from 'zod/mini';
import { parseCpu } from '../lib/cpu.ts';
import { parseDuration } from '../lib/duration.ts';
import { parseFileMode } from '../lib/file-mode.ts';
import { nearest } from '../lib/nearest.ts';
import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';
import { parseSize } from '../lib/size.ts';
import { MAX_ISSUES } from './config-issue.ts';
import { describeValue, isMap, Literal, textOf } from './literal.ts';

// Compiled validators are for hot paths; here they only cost memory.
z.config({ jitless: true });

interface LeafOptions {
  /** Keeps the value out of messages. */
  readonly secret?: boolean;
}

/** A value that a function understands or says what it expected instead. */
export function leaf<T>(read: (input: unknown) => Parsed<T>, { secret = false }: LeafOptions = {}) {
  return z.pipe(
    z.unknown(),
    z.transform((input: unknown, context): T => {
      const result = read(input);
      if (result.ok) return result.value;
      const got = secret && textOf(input) !== undefined ? 'another value' : describeValue(input);
      context.issues.push({
        code: 'custom',
        input,
        message: `expected ${result.expected}, got ${got}`,
      });
      return z.NEVER;
    }),
  );
}

/** A leaf whose source text is parsed, however YAML would have typed it. */
export function quantity<T>(parse: (text: string) => Parsed<T>, options: LeafOptions = {}) {
  return leaf((input) => parse(textOf(input) ?? ''), options);
}

/** A map with known keys only; an empty one (`logs:` with nothing below it) has its defaults. */
export function section<const Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape);
  const strict = z.strictObject(shape, {
    // One line a key, taken apart again in interpret().
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .slice(0, MAX_ISSUES)
            .map((key) => unknownKey(key, known))
            .join('\n')
        : undefined,
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
  return quantity((value) =>
    value === '' || value.includes('\0') ? unparsed(expected) : parsed(value),
  );
}

/** Any scalar, as it was written. */
export function anyScalar(expected: string, options: LeafOptions = {}) {
  return leaf((input) => {
    const value = textOf(input);
    return value === undefined || value.includes('\0') ? unparsed(expected) : parsed(value);
  }, options);
}

/** One of some words. */
export function oneOf<const W extends string>(...words: readonly W[]) {
  return quantity((value): Parsed<W> => {
    const word = words.find((candidate) => candidate === value);
    return word === undefined ? unparsed(`one of ${words.join(', ')}`) : parsed(word);
  });
}

/** A whole number between two bounds, both included. */
export function wholeNumber(what: string, min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  return leaf((input) => {
    const value = input instanceof Literal ? input.value : input;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? parsed(value)
      : unparsed(`${what} ${range}`);
  });
}

/** `true` or `false`. */
export function flag() {
  return leaf((input) => {
    const value = input instanceof Literal ? input.value : input;
    return typeof value === 'boolean' ? parsed(value) : unparsed('true or false');
  });
}

/** `MAX` (given as null) or what `parse` understands. */
export function orMax<T>(parse: (text: string) => Parsed<T>) {
  return quantity((value): Parsed<T | null> => {
    if (isMax(value)) return parsed(null);
    const result = parse(value);
    return result.ok ? result : unparsed(`${result.expected}, or MAX`);
  });
}

/** Whether a raw value is the word for "no limit". */
export function isMax(input: unknown): boolean {
  return typeof input === 'string' && input.toUpperCase() === 'MAX';
}

export const cpus = quantity(parseCpu);
export const duration = quantity((value) => parseDuration(value));
export const milliseconds = quantity((value) => parseDuration(value, { bareMilliseconds: true }));
export const size = quantity(parseSize);
export const fileMode = quantity(parseFileMode);
export const path = text('a path');
export const account = text('a name or a numeric id');

/** The command and its arguments. */
export const argv = leaf((input): Parsed<readonly [string, ...string[]]> => {
  const expected = 'a list of a command and its arguments such as ["/bin/sleep", "10"]';
  const words = Array.isArray(input) ? input.map(textOf) : [];
  const [command, ...rest] = words.filter((word) => word !== undefined && !word.includes('\0'));
  return command === undefined || command === '' || rest.length + 1 !== words.length
    ? unparsed(expected)
    : parsed([command, ...rest.filter((word) => word !== undefined)]);
});

function mapOnly(expected: string) {
  return leaf((input): Parsed<Readonly<Record<string, unknown>>> => {
    if (input === null) return parsed({});
    return isMap(input) ? parsed(input) : unparsed(expected);
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`;
  return `unknown key ${JSON.stringify(key)}; ${hint}`;
}
