import { nearest } from '../lib/nearest.ts';
import { formatKeyPath } from './config-issue.ts';
import { describeValue } from './literal.ts';
import type { KeyPath } from './schema-keys.ts';

/** A key that the section which it stands in does not know. */
export interface UnknownKey {
  readonly section: readonly PropertyKey[];
  readonly key: string;
  /** The keys of that section. */
  readonly known: readonly string[];
}

/** What else a file of this kind could have meant. */
export interface Vocabulary {
  readonly paths: readonly KeyPath[];
  /** What other tools call a key, spelled as {@link plainWord} does, with our key path. */
  readonly foreignWords: ReadonlyMap<string, string>;
}

/** What is wrong with it, and which key was most likely meant. */
export function unknownKeyMessage(unknown: UnknownKey, vocabulary: Vocabulary): string {
  return `unknown key ${describeValue(unknown.key)}; ${hintFor(unknown, vocabulary)}`;
}

/** `ExecStart`, `exec-start` and `exec_start` are one word. */
export function plainWord(key: string): string {
  return key.toLowerCase().replace(/[-_.\s]/g, '');
}

function hintFor({ section, key, known }: UnknownKey, vocabulary: Vocabulary): string {
  if (key === '<<') return 'YAML 1.2 has no merge keys (write out what it should bring)';
  const dotted = vocabulary.paths.find((path) => path.length > 1 && formatKeyPath(path) === key);
  if (dotted !== undefined)
    return `keys are nested: ${dotted.join(': {')}: …${'}'.repeat(dotted.length - 1)}`;
  const isOfTheTop = vocabulary.paths.some((path) => path.length === 1 && path[0] === key);
  const meant =
    nearest(key, known) ?? (isOfTheTop ? undefined : meantElsewhere(section, key, vocabulary));
  if (meant !== undefined) return `did you mean "${meant}"?`;
  return isOfTheTop ? 'it belongs to the top of the file' : `known here: ${known.join(', ')}`;
}

/** In another section, or in the words of another tool. Entries of lists are theirs alone. */
function meantElsewhere(
  section: readonly PropertyKey[],
  key: string,
  { paths, foreignWords }: Vocabulary,
): string | undefined {
  if (section.some((step) => typeof step === 'number')) return undefined;
  const word = plainWord(key);
  const nested = paths.filter((path) => path.length > 1);
  const same = nested.find((path) => plainWord(lastOf(path)) === word);
  const meant =
    foreignWords.get(word) ?? (same === undefined ? similar(key, nested) : formatKeyPath(same));
  const prefix = `${formatKeyPath(section)}.`;
  return meant?.startsWith(prefix) === true && !meant.slice(prefix.length).includes('.')
    ? meant.slice(prefix.length)
    : meant;
}

function similar(key: string, paths: readonly KeyPath[]): string | undefined {
  const name = key.length < 5 ? undefined : nearest(key, paths.map(lastOf));
  const path = paths.find((candidate) => lastOf(candidate) === name);
  return path === undefined ? undefined : formatKeyPath(path);
}

function lastOf(path: KeyPath): string {
  return path.at(-1) ?? path[0];
}
