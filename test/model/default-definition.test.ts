import { describe, expect, it } from 'vitest';
import type * as z from 'zod/mini';
import { defaultDefinitionText } from '../../src/model/default-definition.ts';
import type { Definition } from '../../src/model/desired.ts';
import { serviceSchema } from '../../src/model/service-schema.ts';
import { defaultDefinition, readServiceText } from '../../src/sources/service-file.ts';
import { name } from '../builders/specs.ts';

const FOLDER = '/srv/auto/shop';
const FILE = `${FOLDER}/service.yml`;
const CONTEXT = { folderName: name('shop'), defaultUser: null, defaultGroup: null };
const TEXT = defaultDefinitionText();

const messagesOf = (definition: Definition) =>
  definition.kind === 'valid' ? [] : definition.problems.map(({ message }) => message);

describe('the definition that is generated', () => {
  it.each([
    ['root', CONTEXT],
    ['another user', { ...CONTEXT, defaultUser: 'web', defaultGroup: 'www-data' }],
  ])('says nothing else than none does where services run as %s', (_who, context) => {
    expect(readServiceText(FILE, TEXT, context)).toEqual(defaultDefinition(FOLDER, context));
  });

  it('has every key of the schema, each in its section', () => {
    const paths = keyPathsOf(serviceSchema, []);
    expect(paths.length).toBeGreaterThan(80);
    expect(paths.filter((path) => !isInText(path))).toEqual([]);
  });

  it('comments out nothing that the schema has a default of, but what only jobs may have', () => {
    const commented = TEXT.split('\n').flatMap((line) => /^\s*# (\w+): \S/.exec(line)?.[1] ?? []);
    const withDefault = new Set(
      keyPathsOf(serviceSchema, [], 'default').map((path) => path.at(-1)),
    );
    const shownAsExamples = ['environment', 'nice'];
    expect(
      commented.filter((key) => withDefault.has(key) && !shownAsExamples.includes(key)),
    ).toEqual(['catch_up', 'jitter', 'retries', 'retry_delay']);
  });

  it('has examples that can be used as they are', () => {
    const lines = TEXT.split('\n');
    const isExample = (line: string) => /^\s*# [a-z_]+: [^ ]*$|^\s*# [a-z_]+: .* # /.test(line);
    const tried = lines.flatMap((line, index) => {
      if (!isExample(line) || line.includes('# application')) return [];
      const uncommented = lines.with(index, line.replace('# ', '')).join('\n');
      const messages = messagesOf(readServiceText(FILE, uncommented, CONTEXT));
      return [{ line, messages: messages.filter((message) => !isForeseen(message)) }];
    });
    expect(tried.length).toBeGreaterThan(20);
    expect(tried.filter(({ messages }) => messages.length > 0)).toEqual([]);
  });
});

/** What has to be removed for it, or added. */
function isForeseen(message: string): boolean {
  return /has no effect without process\.schedule|cannot be set together/.test(message);
}

function isInText(path: readonly string[]): boolean {
  const key = new RegExp(`^ *(?:# *)?(?:- )?${path.at(-1)}:`, 'm');
  const [section = ''] = path;
  const start = TEXT.search(new RegExp(`^(?:# )?${section}:`, 'm'));
  const length = TEXT.slice(start + 1).search(/^$/m);
  return start !== -1 && key.test(TEXT.slice(start, start + 1 + length));
}

type Schema = z.core.$ZodTypes;

/** The keys below a schema, also those of what a list holds; `only` those that are wrapped so. */
function keyPathsOf(
  schema: z.core.$ZodType,
  path: readonly string[],
  only?: 'default',
): readonly (readonly string[])[] {
  const { def } = (schema as Schema)._zod;
  if (def.type === 'object') {
    return Object.entries(def.shape).flatMap(([key, child]) => {
      const own = [...path, key];
      const isMeant = only === undefined || (child as Schema)._zod.def.type === only;
      return [...(isMeant ? [own] : []), ...keyPathsOf(child, own, only)];
    });
  }
  if (def.type === 'pipe') return keyPathsOf(def.out, path, only);
  if (def.type === 'array') return keyPathsOf(def.element, path, only);
  const isWrapped = def.type === 'optional' || def.type === 'default' || def.type === 'prefault';
  return isWrapped ? keyPathsOf(def.innerType, path, only) : [];
}
