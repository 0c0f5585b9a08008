import type { Definition, Problem } from './desired.ts';
import type { ServiceName } from './service-name.ts';

/** All that is wrong with definitions, each by itself and with each other, file by file. */
export function definitionProblems(definitions: readonly Definition[]): readonly Problem[] {
  const filesByName = new Map<ServiceName, readonly string[]>();
  for (const { name, file } of definitions) {
    if (name !== null) filesByName.set(name, [...(filesByName.get(name) ?? []), file]);
  }
  return definitions
    .toSorted((a, b) => compare(a.file, b.file))
    .flatMap((definition) => [
      ...(definition.kind === 'invalid' ? definition.problems : []),
      ...conflictOf(definition, filesByName),
    ]);
}

function conflictOf(
  { name, file }: Definition,
  filesByName: ReadonlyMap<ServiceName, readonly string[]>,
): readonly Problem[] {
  const others = (name === null ? [] : (filesByName.get(name) ?? [])).filter(
    (other) => other !== file,
  );
  if (others.length === 0) return [];
  const message = `'${name}' is defined more than once: also in ${others.toSorted().join(', ')} (keep one)`;
  return [{ file, line: null, column: null, keyPath: '', message }];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
