import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonSchema, jsonSchema, SCHEMA_NAMES } from './json-schema.ts';
import { projectRoot } from './run.ts';

/** Writes `schema/*.json`, by which editors complete and check config files. */
async function buildSchemas(): Promise<void> {
  const folder = join(projectRoot, 'schema');
  await mkdir(folder, { recursive: true });
  for (const name of SCHEMA_NAMES) {
    await writeFile(join(folder, `${name}.json`), schemaText(jsonSchema(name)));
  }
}

/** The content of a schema file. */
export function schemaText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.main) await buildSchemas();
