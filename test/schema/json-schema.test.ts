import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { schemaText } from '../../scripts/build-schema.ts';
import {
  describedKeys,
  jsonSchema,
  SCHEMA_NAMES,
  type SchemaName,
} from '../../scripts/json-schema.ts';
import { MASTER_DESCRIPTIONS, SERVICE_DESCRIPTIONS } from '../../scripts/key-descriptions.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(ROOT, 'test/fixtures');
const EXAMPLES = join(ROOT, 'examples');

/** In a fixture whose fault no JSON Schema can tell. */
const BEYOND = '# beyond the JSON Schema\n';

/** Keys without an effect yet are no fault in an editor, whose words for them say so. */

const ajv = new Ajv({ allowUnionTypes: true, strict: true, strictRequired: false });
const validators = {
  service: ajv.compile(jsonSchema('service')),
  config: ajv.compile(jsonSchema('config')),
};

/** What an editor says of a text; nothing where the YAML itself is broken. */
function faults(text: string, name: SchemaName): readonly string[] | undefined {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    return undefined;
  }
  const validate = validators[name];
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function fixtures(prefix: string) {
  return readdirSync(FIXTURES).filter((name) => name.startsWith(prefix) && name.endsWith('.yaml'));
}

const kindOfFixture = (name: string) => (name.includes('-master-') ? 'config' : 'service');

describe.each(SCHEMA_NAMES)('schema/%s.json', (name) => {
  it('is what the schema of the daemon says (else: npm run schema)', () => {
    const shipped = readFileSync(join(ROOT, `schema/${name}.json`), 'utf8');
    expect(shipped).toBe(schemaText(jsonSchema(name)));
  });

  it('has words for every key, and for nothing else', () => {
    const table = name === 'service' ? SERVICE_DESCRIPTIONS : MASTER_DESCRIPTIONS;
    const keys = describedKeys(jsonSchema(name)).map(({ path }) => path);
    expect(keys.filter((key) => (table[key] ?? '') === '')).toEqual([]);
    expect(Object.keys(table).filter((key) => !keys.includes(key))).toEqual([]);
  });
});

describe('an editor', () => {
  it.each(fixtures('accepted-'))('takes %s', (file) => {
    const text = readFileSync(join(FIXTURES, file), 'utf8');
    expect(faults(text, kindOfFixture(file))).toEqual([]);
  });

  it.each(fixtures('rejected-'))('tells of %s what a schema can tell', (file) => {
    const text = readFileSync(join(FIXTURES, file), 'utf8');
    const isBeyond = text.includes(BEYOND);
    const found = faults(text, kindOfFixture(file));
    // Broken YAML is told by the editor's parser.
    if (found === undefined) expect(isBeyond).toBe(false);
    else expect(found.length === 0).toBe(isBeyond);
  });

  it('takes every block of the manual', () => {
    const pages = readdirSync(join(ROOT, 'docs')).map((page) => join('docs', page));
    const blocks = ['README.md', ...pages].flatMap((page) => [
      ...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm),
    ]);
    expect(blocks.length).toBeGreaterThan(3);
    for (const [, text = ''] of blocks) {
      expect(faults(text, text.startsWith('# config.yaml') ? 'config' : 'service')).toEqual([]);
    }
  });

  it('finds the schema of each example by its first line', () => {
    const files = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.ya?ml$/.test(file),
    );
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      const path = join(EXAMPLES, file);
      const text = readFileSync(path, 'utf8');
      const schema = /^# yaml-language-server: \$schema=(.*)\n/.exec(text)?.[1] ?? '';
      const name = SCHEMA_NAMES.find(
        (known) => resolve(dirname(path), schema) === join(ROOT, `schema/${known}.json`),
      );
      expect([file, name && faults(text, name)]).toEqual([file, []]);
    }
  });
});
