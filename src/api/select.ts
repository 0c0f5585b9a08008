import { ProcessmasterError } from '../lib/errors.ts';
import { nearest } from '../lib/nearest.ts';
import type { ServiceStatus } from '../model/status.ts';
import { globMatcher, isGlob } from './glob.ts';

export interface Selected {
  readonly status: ServiceStatus;
  /** Asked for by its own name, not by `all` or a pattern. */
  readonly byName: boolean;
}

/**
 * The services that names, patterns and `all` mean, each once, in the order of `statuses`. A service
 * that is itself called `all` is reached by `[a]ll`.
 *
 * @throws ProcessmasterError `not_found` for a name or pattern that means nothing, naming near ones.
 */
export function select(
  statuses: readonly ServiceStatus[],
  words: readonly string[],
): readonly Selected[] {
  const known: ReadonlySet<string> = new Set(statuses.map((status) => status.name));
  const exact = new Set(words.filter((word) => word !== 'all' && !isGlob(word)));
  for (const word of exact) if (!known.has(word)) throw unknownService(word, [...known]);
  const patterns = words.filter(isGlob).map((pattern) => matching(pattern, known));
  const isMeant = (name: string) =>
    words.includes('all') || patterns.some((names) => names.has(name));
  return statuses.flatMap((status) => {
    const byName = exact.has(status.name);
    return byName || isMeant(status.name) ? [{ status, byName }] : [];
  });
}

/** The error for a name that no service has. */
export function unknownService(word: string, known: readonly string[]): ProcessmasterError {
  const near = nearestNames(word, known);
  const hint = near.length === 0 ? '' : ` (did you mean ${near.map(quote).join(', ')}?)`;
  const message = `cannot find service ${quote(word)}: no definition has that name${hint}`;
  return new ProcessmasterError('not_found', message);
}

function matching(pattern: string, known: ReadonlySet<string>): ReadonlySet<string> {
  const names = new Set([...known].filter(globMatcher(pattern)));
  if (names.size > 0) return names;
  const message = `cannot find services ${quote(pattern)}: no service's name matches`;
  throw new ProcessmasterError('not_found', message);
}

function nearestNames(word: string, known: readonly string[]): readonly string[] {
  const near: string[] = [];
  for (let left = known; near.length < 3; left = left.filter((name) => name !== near.at(-1))) {
    const name = nearest(word, left);
    if (name === undefined) break;
    near.push(name);
  }
  return near;
}

function quote(word: string): string {
  return `'${word}'`;
}
