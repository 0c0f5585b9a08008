import { readBounded } from '../host/safe-open.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { isMap, textOf } from '../model/literal.ts';
import { parseYaml } from './yaml-document.ts';
import { MAX_FILE_BYTES } from './yaml-limits.ts';

/** Keys of maps; in a list, the `name` of an entry. */
type NamedPath = readonly string[];

/**
 * The line (1-based) of the value at each path in a file, `null` where the file does not set it or
 * cannot be read. The file is parsed for it each time: nothing is kept for a question asked seldom.
 */
export function locateKeys(file: string, paths: readonly NamedPath[]): readonly (number | null)[] {
  if (paths.length === 0) return [];
  try {
    return locateIn(file, readBounded(file, MAX_FILE_BYTES), paths);
  } catch (error) {
    // It may be gone by now, or never have been there: an auto service needs none.
    if (error instanceof ProcessmasterError) return paths.map(() => null);
    throw error;
  }
}

/** The same for the bytes of a file. */
export function locateIn(
  file: string,
  bytes: Buffer,
  paths: readonly NamedPath[],
): readonly (number | null)[] {
  const { raw, locate } = parseYaml(file, bytes);
  return paths.map((path) => {
    const steps = stepsTo(raw, path);
    return steps && locate({ path: steps, at: 'value', message: '' }).line;
  });
}

/** The path by index where it leads through a list; `null` where nothing is there. */
function stepsTo(raw: unknown, path: NamedPath): readonly PropertyKey[] | null {
  const steps: PropertyKey[] = [];
  let value = raw;
  for (const key of path) {
    const step = Array.isArray(value) ? value.findIndex((item) => isNamed(item, key)) : key;
    if (!isMap(value) && !Array.isArray(value)) return null;
    if (!Object.hasOwn(value, step)) return null;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step];
    steps.push(step);
  }
  return steps;
}

function isNamed(item: unknown, name: string): boolean {
  return isMap(item) && textOf(item.name) === name;
}
