import { dirname, resolve } from 'node:path';
import { readBounded } from '../host/safe-open.ts';
import { messageOf } from '../lib/errors.ts';
import {
  type DaemonConfig,
  interpretDaemonConfig,
  type SourceConfig,
  sourcesNamedIn,
} from '../model/daemon-config.ts';
import type { Problem } from '../model/desired.ts';
import { parseYaml, sortProblems, type YamlDocument } from './yaml-document.ts';
import { MAX_FILE_BYTES } from './yaml-limits.ts';

export type DaemonConfigReading =
  | { readonly kind: 'valid'; readonly file: string; readonly config: DaemonConfig }
  | {
      readonly kind: 'invalid';
      readonly file: string;
      readonly problems: readonly [Problem, ...Problem[]];
      /** As far as they can be told. */
      readonly sources: SourceConfig;
    };

/** Reads the master config; a relative path is resolved against the working directory. */
export function readDaemonConfig(path: string): DaemonConfigReading {
  const file = resolve(path);
  let bytes: Buffer;
  try {
    bytes = readBounded(file, MAX_FILE_BYTES);
  } catch (error) {
    const problem = { file, line: null, column: null, keyPath: '', message: messageOf(error) };
    return { kind: 'invalid', file, problems: [problem], sources: sourcesNamedIn(null, '/') };
  }
  return readDaemonDocument(file, parseYaml(file, bytes));
}

/** The same for a document that was parsed already; `file` is absolute. */
export function readDaemonDocument(
  file: string,
  { raw, problems, locate }: YamlDocument,
): DaemonConfigReading {
  const interpreted = interpretDaemonConfig(raw ?? Object.create(null), dirname(file));
  // What half a document lacks is no news: the text has to be mended first.
  const issues = interpreted.ok || problems.length > 0 ? [] : interpreted.issues;
  const [first, ...rest] = sortProblems([...problems, ...issues.map(locate)]);
  if (first !== undefined) {
    const sources = sourcesNamedIn(raw, dirname(file));
    return { kind: 'invalid', file, problems: [first, ...rest], sources };
  }
  if (!interpreted.ok) throw new Error('unreachable: an invalid config without a problem');
  return { kind: 'valid', file, config: interpreted.value };
}
