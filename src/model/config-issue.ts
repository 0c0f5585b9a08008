import { isMap } from './literal.ts';

/** Something wrong at a key of a config file, before it is known which line that is. */
export interface ConfigIssue {
  readonly path: readonly PropertyKey[];
  /** What the position points at; where that is missing, it is the nearest thing around it. */
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** What a raw document came to. */
export type Interpreted<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly [ConfigIssue, ...ConfigIssue[]] };

/** Nobody mends more at a time, and what is done with each stays cheap for a hostile file. */
export const MAX_ISSUES = 100;

/** `process.environment[0].name`. */
export function formatKeyPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/** The raw value at a path of map keys; `undefined` where there is none. */
export function valueAt(raw: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    raw,
  );
}
