/** What a text means, or what it should have looked like. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string; readonly got?: string };

/** A text that means `value`. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/**
 * A text that means nothing; `expected` completes "expected …" and carries an example, `got` says more
 * of what is there than its value would.
 */
export function unparsed(expected: string, got?: string): Parsed<never> {
  return got === undefined ? { ok: false, expected } : { ok: false, expected, got };
}
