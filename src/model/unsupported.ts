import { type ConfigIssue, valueAt } from './config-issue.ts';
import { Literal } from './literal.ts';

/** A key whose effect this build does not have, and the values that ask for what happens anyway. */
export interface UnsupportedKey {
  readonly path: readonly string[];
  readonly isInert: (raw: unknown) => boolean;
}

const never = () => false;
const isFalse = (raw: unknown) => raw === false || (raw instanceof Literal && raw.value === false);

/** Keys of the master config that have no effect yet. */
export const UNSUPPORTED_MASTER_KEYS: readonly UnsupportedKey[] = [
  ...keys('web_console', isFalse, ['enabled']),
  ...keys('web_console', never, [
    'bind',
    'port',
    'auth',
    'user',
    'memory_max',
    'base_path',
    'allow_plaintext_remote',
    'tls',
  ]),
];

/** One issue for each key that is set, well-typed, and asks for an effect that is not there. */
export function unsupportedIssues(
  raw: unknown,
  unsupported: readonly UnsupportedKey[],
  typeIssues: readonly ConfigIssue[],
): readonly ConfigIssue[] {
  const isMistyped = (path: readonly string[]) =>
    typeIssues.some((issue) => path.every((key, depth) => issue.path[depth] === key));
  return unsupported
    .filter(({ path, isInert }) => {
      const value = valueAt(raw, path);
      return value !== undefined && !isInert(value) && !isMistyped(path);
    })
    .map(({ path }) => ({ path, at: 'key', message: 'not supported by this build' }));
}

function keys(
  parent: string,
  isInert: UnsupportedKey['isInert'],
  names: readonly string[],
): readonly UnsupportedKey[] {
  return names.map((name) => ({ path: [parent, name], isInert }));
}
