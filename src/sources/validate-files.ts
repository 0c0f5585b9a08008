import { basename, dirname } from 'node:path';
import { messageOf } from '../lib/errors.ts';
import { configKind } from '../model/config-kind.ts';
import type { ConfigKind } from '../model/config-kind-names.ts';
import { definitionProblems } from '../model/definition-problems.ts';
import type { Definition, Problem } from '../model/desired.ts';
import { parseServiceName } from '../model/service-name.ts';
import { filesOfOperand, type NamedFile, readNamedFile } from './config-operands.ts';
import { readDaemonDocument } from './daemon-config-file.ts';
import { readServiceDocument } from './service-file.ts';
import { isDefinitionFileName } from './service-folder.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

/** What was found in one file (or why an operand is none). */
export interface FileVerdict {
  /** As it was named. */
  readonly file: string;
  /** What it was taken for; `null` when it could not be read. */
  readonly kind: ConfigKind | null;
  readonly problems: readonly Problem[];
}

interface Reading {
  readonly file: string;
  readonly kind: ConfigKind | null;
  readonly problems: readonly Problem[];
  /** Of services; for finding those of the same name. */
  readonly definition: Definition | null;
}

/**
 * Checks files and folders as the daemon would, without one: every problem of every file, and names
 * that more than one of them defines.
 *
 * @param operands paths, `-` for the standard input
 * @param kind what the files are; `null` to tell by their content
 */
export function validateFiles(
  operands: readonly string[],
  kind: ConfigKind | null,
): readonly FileVerdict[] {
  const seen = new Set<string>();
  const readings = operands.flatMap((operand) =>
    readingsOf(operand, kind, (path) => seen.size === seen.add(path).size),
  );
  const definitions = readings.flatMap(({ definition }) => definition ?? []);
  const problems = Map.groupBy(definitionProblems(definitions), ({ file }) => file);
  return readings.map(({ file, kind, problems: own, definition }) => ({
    file,
    kind,
    problems: definition === null ? own : (problems.get(file) ?? []),
  }));
}

function readingsOf(
  operand: string,
  kind: ConfigKind | null,
  isKnown: (path: string) => boolean,
): readonly Reading[] {
  let files: readonly NamedFile[];
  try {
    files = filesOfOperand(operand);
  } catch (error) {
    return [unreadable(operand, error)];
  }
  if (files.length === 0) {
    return [failed(operand, 'expected *.yaml or *.yml files in this folder, got none')];
  }
  return files.filter(({ path }) => !isKnown(path)).map((file) => readingOf(file, kind));
}

function readingOf(file: NamedFile, wanted: ConfigKind | null): Reading {
  let bytes: Buffer;
  try {
    bytes = readNamedFile(file);
  } catch (error) {
    return unreadable(file.shown, error);
  }
  const document = parseYaml(file.path, bytes);
  const isServiceYml = isDefinitionFileName(basename(file.path)) && folderName(file.path) !== null;
  const kind = wanted ?? configKind(document.raw, { isServiceYml });
  const shown = (problem: Problem): Problem => ({ ...problem, file: file.shown });
  if (kind === 'master') {
    const reading = readDaemonDocument(file.path, document);
    const problems = reading.kind === 'valid' ? [] : reading.problems.map(shown);
    return { file: file.shown, kind, problems, definition: null };
  }
  const definition = definitionOf(file.path, document, kind);
  return {
    file: file.shown,
    kind,
    problems: [],
    definition:
      definition.kind === 'valid'
        ? { ...definition, file: file.shown }
        : { ...definition, file: file.shown, problems: mapAll(definition.problems, shown) },
  };
}

function definitionOf(path: string, document: YamlDocument, kind: ConfigKind): Definition {
  if (kind !== 'auto-service') return readServiceDocument(path, document);
  const context = { folderName: folderName(path), defaultUser: null, defaultGroup: null };
  return readServiceDocument(path, document, context);
}

function folderName(path: string) {
  return parseServiceName(basename(dirname(path)));
}

function mapAll<T>([first, ...rest]: readonly [T, ...T[]], change: (one: T) => T): [T, ...T[]] {
  return [change(first), ...rest.map(change)];
}

function unreadable(file: string, error: unknown): Reading {
  return failed(file, `cannot be read: ${messageOf(error)}`);
}

function failed(file: string, message: string): Reading {
  const problem: Problem = { file, line: null, column: null, keyPath: '', message };
  return { file, kind: null, problems: [problem], definition: null };
}
