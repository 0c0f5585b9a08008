import * as z from 'zod/mini';
import {
  type ConfigIssue,
  formatKeyPath,
  type Interpreted,
  MAX_ISSUES,
  valueAt,
} from './config-issue.ts';
import { keyPaths } from './schema-keys.ts';
import { unknownKeyMessage, type Vocabulary } from './unknown-key.ts';

/** What a schema cannot say about a file. */
export interface FileRules {
  readonly checks: readonly Check[];
  /** What other tools call our keys; asked for when a key is not known. */
  readonly foreignWords: () => ReadonlyMap<string, string>;
}

/** Looks at a raw document as a whole, also when parts of it are wrong. */
export type Check = (raw: unknown) => readonly ConfigIssue[];

/** Two keys that cannot both be set. */
export function exclusive(first: readonly string[], second: readonly string[]): Check {
  return (raw) =>
    valueAt(raw, first) === undefined || valueAt(raw, second) === undefined
      ? []
      : [
          {
            path: second,
            at: 'key',
            message: `cannot be set together with ${formatKeyPath(first)} (remove one of the two)`,
          },
        ];
}

/** A key that has no default here. */
export function required(path: readonly string[], expected: string): Check {
  return (raw) =>
    valueAt(raw, path) === undefined
      ? [{ path, at: 'value', message: `expected ${expected}, got nothing` }]
      : [];
}

/**
 * Checks a raw document against a schema and what that cannot say. Gives all that is wrong, not just the
 * first.
 */
export function interpret<S extends z.ZodMiniType>(
  schema: S,
  raw: unknown,
  rules: FileRules,
): Interpreted<z.output<S>> {
  const result = z.safeParse(schema, raw);
  const typeIssues = result.success ? [] : configIssues(result.error.issues, schema, rules);
  const [first, ...rest] = [
    ...typeIssues,
    ...rules.checks.flatMap((check) => check(raw)).filter((issue) => !isInside(issue, typeIssues)),
  ];
  if (first !== undefined) return { ok: false, issues: [first, ...rest.slice(0, MAX_ISSUES - 1)] };
  if (!result.success) throw result.error;
  return { ok: true, value: result.data };
}

function configIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodMiniType,
  { foreignWords }: FileRules,
): readonly ConfigIssue[] {
  let vocabulary: Vocabulary | undefined;
  return issues
    .slice(0, MAX_ISSUES)
    .flatMap((issue): readonly ConfigIssue[] => {
      const { path: section, message } = issue;
      if (issue.code !== 'unrecognized_keys') return [{ path: section, at: 'value', message }];
      vocabulary ??= { paths: keyPaths(schema), foreignWords: foreignWords() };
      const words = vocabulary;
      const known = message.split('\n');
      return issue.keys.slice(0, MAX_ISSUES).map((key) => ({
        path: [...section, key],
        at: 'key',
        message: unknownKeyMessage({ section, key, known }, words),
      }));
    })
    .slice(0, MAX_ISSUES);
}

/** Where `process` is no map, what is missing in it is no news. */
function isInside(issue: ConfigIssue, typeIssues: readonly ConfigIssue[]): boolean {
  return typeIssues.some(({ path }) => path.every((key, depth) => issue.path[depth] === key));
}
