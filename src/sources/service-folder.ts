import { type BigIntStats, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '../model/service-name.ts';
import { defaultDefinition, readServiceFile, type ServiceFileContext } from './service-file.ts';
import { type Candidate, fingerprintOf, statIfThere } from './settled-files.ts';

/** What a folder may hold that makes it a service, the preferred first. */
export const DEFINITION_NAMES: readonly [string, ...string[]] = ['service.yml', 'service.yaml'];
const START_SCRIPT = 'run.sh';

/** In a service folder, asks for its definition to be written anew. */
export const REGENERATE_MARKER = '.regen_pm_config';

const DISABLED_SUFFIX = '.disabled';

/** A definition as a folder has it. */
export interface FolderCandidate extends Candidate {
  /** No file defines it. */
  readonly isDefault: boolean;
}

/** Whether a change of that file in a service folder (or of the folder) concerns its definition. */
export function isAutoServiceFile(name: string): boolean {
  return [START_SCRIPT, REGENERATE_MARKER, ...DEFINITION_NAMES].includes(name);
}

/** Whether a file of that name in a service folder is its definition. */
export function isDefinitionFileName(name: string): boolean {
  return DEFINITION_NAMES.includes(name);
}

/** Which of the files in a service folder its definition is, or would be. */
export function preferredDefinitionFile(names: readonly string[]): string {
  return DEFINITION_NAMES.find((name) => names.includes(name)) ?? DEFINITION_NAMES[0];
}

/** Whether a folder of that name may be a service: neither hidden nor disabled. */
export function isServiceFolderName(name: string): boolean {
  return !name.startsWith('.') && !name.endsWith(DISABLED_SUFFIX);
}

/** What the definition in a service folder takes from where it lies. */
export type FolderContext = ServiceFileContext & { readonly folderName: ServiceName };

/** What defines the service of a folder (absolute path); `null` where nothing does so far. */
export function candidateIn(
  folder: string,
  folderStats: BigIntStats,
  context: FolderContext,
): FolderCandidate | null {
  for (const definitionName of DEFINITION_NAMES) {
    const file = join(folder, definitionName);
    // A dangling link is there: what is wrong with it is said by the one who reads it.
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) continue;
    const stats = statIfThere(file);
    const isPreferred = definitionName === DEFINITION_NAMES[0];
    return {
      fingerprint: fingerprintOf(file, stats),
      changedAtMs: lastChangeMs(isPreferred ? [stats] : [stats, folderStats]),
      isDefault: false,
      load: () => readServiceFile(file, context),
    };
  }
  return scriptCandidate(folder, folderStats, context);
}

function scriptCandidate(
  folder: string,
  folderStats: BigIntStats,
  context: FolderContext,
): FolderCandidate | null {
  const script = statIfThere(join(folder, START_SCRIPT));
  if (script === undefined || !script.isFile() || (script.mode & 0o111n) === 0n) return null;
  return {
    fingerprint: `${folder} defaults`,
    // The folder's own change shows that a service.yml has just been taken away, or is coming.
    changedAtMs: lastChangeMs([script, folderStats]),
    isDefault: true,
    load: () => defaultDefinition(folder, context),
  };
}

/** What has the marker's name in a folder, whatever it is. */
export function markerIn(folder: string): BigIntStats | null {
  return lstatIfThere(join(folder, REGENERATE_MARKER));
}

/** What has the name of a definition in a folder, whatever it is. */
export function definitionsIn(folder: string): readonly (BigIntStats | null)[] {
  return DEFINITION_NAMES.map((name) => lstatIfThere(join(folder, name)));
}

/** Changes with the files and what is in them, but not when one gets or loses another name. */
export function versionOf(files: readonly (BigIntStats | null)[]): string {
  return files.map((file) => (file === null ? '-' : `${file.ino} ${file.mtimeNs}`)).join(', ');
}

function lstatIfThere(path: string): BigIntStats | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** A service whose definition cannot be told, for a reason. */
export function unusable(
  folder: string,
  name: ServiceName | null,
  message: string,
): FolderCandidate {
  const problem = { file: folder, line: null, column: null, keyPath: '', message };
  return {
    fingerprint: `${folder} ${message}`,
    changedAtMs: 0,
    isDefault: false,
    load: () => ({ kind: 'invalid', name, file: folder, problems: [problem] }),
  };
}

/** Wall time of the latest change (ctime); 0 for what is not there. */
export function lastChangeMs(stats: readonly (BigIntStats | undefined)[]): number {
  return Math.max(...stats.map((each) => Number(each?.ctimeMs ?? 0)));
}
