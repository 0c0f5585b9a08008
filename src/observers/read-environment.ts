import { resolve } from 'node:path';
import type { Identity } from '../host/identity.ts';
import { readBounded } from '../host/safe-open.ts';
import { readAs } from '../host/trusted-file.ts';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { parseDotenv } from '../model/dotenv.ts';
import { ENVIRONMENT_STAGE } from '../model/environment-reading.ts';
import { environmentText, parseEnvironmentValue } from '../model/environment-value.ts';
import type { AcceptedSpec, EnvironmentFile, Variable } from '../model/service-spec.ts';

/** More than this is no value of a variable; Linux passes 128 KiB on at most (execve(2)). */
const MAX_BYTES = 64 * 1024;

/** One file that an environment is made from. */
export interface SourceContent {
  /** See EnvironmentDigest. */
  readonly path: string;
  readonly reference: string;
  /** What it adds; `null`: it may be missing, and is. */
  readonly variables: readonly Variable[] | null;
}

/** A declared environment with its values, none of which may be shown to anybody. */
export interface DeclaredEnvironment {
  /** Later ones win. */
  readonly variables: readonly Variable[];
  readonly sources: readonly SourceContent[];
}

/**
 * Reads what the environment of a spec is made from. `reader` is whose rights count where others than
 * root could have written the definition; `null` is root.
 * @throws ProcessmasterError `launch_failed` at the stage `environment`; never shows a value
 */
export function readEnvironment(
  { spec }: AcceptedSpec,
  reader: Identity | null,
): DeclaredEnvironment {
  const read = (path: string) =>
    reader === null ? readBounded(path, MAX_BYTES) : readAs(reader, path, MAX_BYTES);
  // A run of an earlier build has no list.
  const files = (spec.environmentFiles ?? []).map((file) => readFile(file, read));
  const sources: SourceContent[] = [...files];
  const variables = files.flatMap((file) => file.variables ?? []);
  for (const variable of spec.environment) {
    const { value, source } = readVariable(variable, spec.workingDirectory, read);
    variables.push({ name: variable.name, value });
    if (source !== null) sources.push(source);
  }
  return { variables, sources };
}

type Read = (path: string) => Buffer;

function readFile({ path, isOptional }: EnvironmentFile, read: Read): SourceContent {
  const key = 'process.env_file';
  const text = attempt(key, () => {
    try {
      return textOf(read(path), path);
    } catch (error) {
      if (isOptional && isErrno(error, 'ENOENT')) return null;
      throw error;
    }
  });
  if (text === null) return { path: key, reference: path, variables: null };
  const reading = parseDotenv(text);
  if (!reading.ok) throw failure(key, `${path}:${reading.line}: ${reading.message}`);
  return { path: key, reference: path, variables: reading.variables };
}

function readVariable(variable: Variable, directory: string, read: Read) {
  const key = `process.environment[${variable.name}]`;
  const meant = parseEnvironmentValue(variable.value);
  if (!meant.ok) throw failure(key, `expected ${meant.expected}, got another value`);
  if (meant.value.kind !== 'file') return { value: meant.value.text, source: null };
  const path = resolve(directory, meant.value.path);
  const value = attempt(key, () => textOf(read(path), path)).replace(/\r?\n$/, '');
  const variables = [{ name: variable.name, value }];
  return { value, source: { path: key, reference: variable.value, variables } };
}

function textOf(content: Buffer, path: string): string {
  const text = environmentText(content);
  if (text.ok) return text.value;
  throw new ProcessmasterError('io', `cannot use '${path}': expected ${text.expected}`);
}

function attempt<T>(key: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw failure(key, messageOf(error), error);
  }
}

function failure(key: string, why: string, cause?: unknown): ProcessmasterError {
  const hint =
    cause instanceof ProcessmasterError && cause.code === 'not_permitted'
      ? ' (others than root can write the definition, so it only gets what the service itself may read)'
      : '';
  const message = `cannot make the environment: ${key}: ${why}${hint}`;
  return new ProcessmasterError('launch_failed', message, { stage: ENVIRONMENT_STAGE, cause });
}
