import type * as z from 'zod/mini';

/** Where a key of a config file stands, from the outermost: `['process', 'nice']`. */
export type KeyPath = readonly [string, ...string[]];

/** Every key that a schema knows, the outer ones first; what is below a list has no path. */
export function keyPaths(schema: z.core.$ZodType): readonly KeyPath[] {
  const found: KeyPath[] = [];
  let level: readonly (readonly [readonly string[], z.core.$ZodType])[] = [[[], schema]];
  while (level.length > 0) {
    level = level.flatMap(([path, parent]) =>
      Object.entries(shapeOf(parent)).map(([key, child]) => [[...path, key], child] as const),
    );
    for (const [[first, ...rest]] of level) if (first !== undefined) found.push([first, ...rest]);
  }
  return found;
}

/** The keys of a section, whatever it is wrapped in; none for anything else. */
function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'object') return def.shape;
  if (def.type === 'pipe') return shapeOf(def.out);
  const isWrapped = def.type === 'optional' || def.type === 'default' || def.type === 'prefault';
  return isWrapped ? shapeOf(def.innerType) : {};
}
