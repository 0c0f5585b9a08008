import * as z from 'zod/mini';
import { daemonSchema } from '../src/model/daemon-schema.ts';
import { type JsonForm, leafForms } from '../src/model/schema-parts.ts';
import { serviceSchema } from '../src/model/service-schema.ts';
import { MASTER_DESCRIPTIONS, SERVICE_DESCRIPTIONS } from './key-descriptions.ts';

/** A schema as it is written to a file. */
export interface JsonSchema {
  type?: string | readonly string[];
  description?: string;
  default?: unknown;
  required?: readonly string[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  [keyword: string]: unknown;
}

/** What of a schema has words: a key, or (`process.environment[]`) what a list or map holds. */
export interface DescribedKey {
  readonly path: string;
  readonly schema: JsonSchema;
}

interface Subject {
  readonly title: string;
  readonly schema: z.ZodMiniType;
  readonly descriptions: Readonly<Record<string, string>>;
  /** What a section needs besides its keys' own rules, by its key. */
  readonly needs: Readonly<Record<string, JsonSchema>>;
}

const SUBJECTS = {
  service: {
    title: 'Service definition of processmaster',
    schema: serviceSchema,
    descriptions: SERVICE_DESCRIPTIONS,
    needs: { process: { not: { type: 'object', required: ['stop_signal', 'stop_command'] } } },
  },
  config: {
    title: 'Master config of processmaster',
    schema: daemonSchema,
    descriptions: MASTER_DESCRIPTIONS,
    needs: {
      '': { type: 'object', required: ['global'] },
      global: {
        type: 'object',
        anyOf: [{ required: ['config_directory'] }, { required: ['auto_service_directory'] }],
      },
    },
  },
} as const satisfies Record<string, Subject>;

export type SchemaName = keyof typeof SUBJECTS;

export const SCHEMA_NAMES = Object.keys(SUBJECTS) as readonly SchemaName[];

/**
 * The JSON Schema (draft 7, which editors know best) of a config file, made of the schema that the
 * daemon itself reads it by. It takes everything that the daemon takes; what it cannot say (keys that
 * exclude each other, what depends on the file's place) is left to `pmctl validate`.
 */
export function jsonSchema(name: SchemaName): JsonSchema {
  const { title, schema, descriptions, needs }: Subject = SUBJECTS[name];
  const { $schema, ...body } = z.toJSONSchema(schema, {
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: json }) => refine(zodSchema, json as JsonSchema),
  }) as JsonSchema;
  for (const key of describedKeys(body)) {
    key.schema.description = descriptions[key.path] ?? '';
    Object.assign(key.schema, needs[key.path]);
  }
  Object.assign(body, needs['']);
  return { $schema, $id: `urn:processmaster:${name}`, title, ...body };
}

/** All that needs a description, outer first. */
export function describedKeys(schema: JsonSchema, path = ''): readonly DescribedKey[] {
  const children = Object.entries(schema.properties ?? {}).map(
    ([key, child]) => [path === '' ? key : `${path}.${key}`, child] as const,
  );
  const { items, additionalProperties: values } = schema;
  const below = [
    ...(hasKeys(items) ? [[`${path}[]`, items] as const] : []),
    ...(hasKeys(values) ? [[`${path}.*`, values] as const] : []),
  ];
  return [
    ...children.map(([key, child]) => ({ path: key, schema: child })),
    ...[...children, ...below].flatMap(([key, child]) => describedKeys(child, key)),
  ];
}

function hasKeys(schema: boolean | JsonSchema | undefined): schema is JsonSchema {
  return typeof schema === 'object' && schema.properties !== undefined;
}

/** Zod sees functions where we have parts, and wants in a file what has a default. */
function refine(schema: z.core.$ZodTypes, json: JsonSchema): void {
  const form = leafForms.get(schema);
  if (form !== undefined) Object.assign(json, form.json satisfies JsonForm);
  const { def } = schema._zod;
  if (def.type === 'default') json.default = shown(def.innerType, def.defaultValue);
  if (def.type === 'prefault') delete json.default;
  if (def.type === 'object') {
    const required = Object.keys(def.shape).filter(
      (key) => def.shape[key]?._zod.optin === undefined,
    );
    if (required.length > 0) json.required = required;
    else delete json.required;
    // A section with nothing below it has its defaults.
    if (required.length === 0) json.type = ['object', 'null'];
  }
  if (def.type === 'record') {
    delete json.propertyNames;
    json.type = ['object', 'null'];
  }
}

/** A value as people write it. */
function shown(schema: z.core.$ZodType, value: unknown): unknown {
  const show = leafForms.get(schema)?.show;
  return show === undefined ? value : show(value as never);
}
