/**
 * A number or boolean of a config file together with the text it was written as: `mode: 0660` must
 * not become 660, nor `VERSION: 1.10` the string "1.1". Strings, lists, maps and null stay plain.
 */
export class Literal {
  readonly value: number | boolean;
  readonly source: string;

  constructor(value: number | boolean, source: string) {
    this.value = value;
    this.source = source;
  }
}

/** The text of a scalar as it was written; `undefined` for anything else. */
export function textOf(input: unknown): string | undefined {
  if (typeof input === 'string') return input;
  return input instanceof Literal ? input.source : undefined;
}

/** Whether a raw value is a map of a config file. */
export function isMap(input: unknown): input is Readonly<Record<string, unknown>> {
  return (
    typeof input === 'object' &&
    input !== null &&
    !Array.isArray(input) &&
    !(input instanceof Literal)
  );
}

/** A value as messages show it: short, one line. */
export function describeValue(input: unknown): string {
  if (input === undefined || input === null) return 'nothing';
  if (input instanceof Literal) return shorten(input.source);
  if (typeof input === 'string') return JSON.stringify(shorten(input));
  if (Array.isArray(input)) return input.length === 0 ? 'an empty list' : 'a list';
  return 'a map';
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
