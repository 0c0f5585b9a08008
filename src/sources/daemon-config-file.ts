import { dirname, resolve } from 'node:path';
import { readBounded } from '../host/safe-open.ts';
import { messageOf } from '../lib/errors.ts';
import { type DaemonConfig, interpretDaemonConfig } from '../model/daemon-config.ts';
import type { Problem } from '../model/desired.ts';
import { parseYaml, sortProblems } from './yaml-document.ts';
import { MAX_FILE_BYTES } from './yaml-limits.ts';

export type DaemonConfigReading =
  | { readonly kind: 'valid'; readonly file: string; readonly config: DaemonConfig }
  | { readonly kind: 'invalid'; readonly file: string; readonly problems: readonly Problem[] };

/** Reads the master config; a relative path is resolved against the working directory. */
export function readDaemonConfig(path: string): DaemonConfigReading {
  const file = resolve(path);
  let bytes: Buffer;
  try {
    bytes = readBounded(file, MAX_FILE_BYTES);
  } catch (error) {
    const problem = { file, line: null, column: null, keyPath: '', message: messageOf(error) };
    return { kind: 'invalid', file, problems: [problem] };
  }
  const { raw, problems, locate } = parseYaml(file, bytes);
  if (problems.length > 0) return { kind: 'invalid', file, problems };
  const interpreted = interpretDaemonConfig(raw ?? Object.create(null), dirname(file));
  return interpreted.ok
    ? { kind: 'valid', file, config: interpreted.value }
    : { kind: 'invalid', file, problems: sortProblems(interpreted.issues.map(locate)) };
}
