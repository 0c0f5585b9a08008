import { type BigIntStats, existsSync, lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Instant } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { SourceContent } from '../model/desired.ts';
import { parseServiceName, SERVICE_NAME_RULE, type ServiceName } from '../model/service-name.ts';
import type { SourceId } from '../model/service-spec.ts';
import {
  type FoundCandidates,
  proposal,
  type ReadOptions,
  type Source,
  type SourceReading,
  unavailable,
} from './config-directory.ts';
import {
  defaultDefinition,
  readServiceFile,
  readServiceText,
  type ServiceFileContext,
} from './service-file.ts';
import { type Candidate, fingerprintOf, SettledFiles, statIfThere } from './settled-files.ts';

/** What a folder may hold that makes it a service, the preferred first. */
const DEFINITION_NAMES: readonly [string, ...string[]] = ['service.yml', 'service.yaml'];
const START_SCRIPT = 'run.sh';

const DISABLED_SUFFIX = '.disabled';

export interface AutoServiceDefaults {
  readonly defaultUser: string | null;
  readonly defaultGroup: string | null;
}

/**
 * Each direct child folder is a service of its name, unless it is hidden or ends in `.disabled`:
 * defined by its `service.yml`, else `service.yaml`, else by built-in defaults once there is an
 * executable `run.sh`. A folder with none of these is not yet a service.
 */
export class AutoServiceDirectory implements Source {
  readonly id: SourceId;
  readonly #path: string;
  readonly #defaults: AutoServiceDefaults;
  readonly #files = new SettledFiles();

  /** `path` is absolute. */
  constructor(path: string, defaults: AutoServiceDefaults) {
    this.id = `auto:${path}`;
    this.#path = path;
    this.#defaults = defaults;
  }

  read(now: Instant, { settled = false }: ReadOptions = {}): SourceReading {
    const found = this.#candidates();
    if (found.kind === 'unavailable') return unavailable(found.reason);
    const { definitions, lookAgainAfterMs } = this.#files.refresh(found.candidates, now, settled);
    return { content: { kind: 'read', definitions }, lookAgainAfterMs };
  }

  loadAhead(now: Instant, { settled = false }: ReadOptions = {}): Iterable<void> {
    const found = this.#candidates();
    return found.kind === 'found' ? this.#files.loadAhead(found.candidates, now, settled) : [];
  }

  holds(file: string): boolean {
    return this.#contextOf(file) !== null;
  }

  peek(texts: ReadonlyMap<string, string>): SourceContent {
    const found = this.#candidates();
    if (found.kind === 'unavailable') return found;
    const candidates = new Map(found.candidates);
    for (const [file, text] of texts) {
      const context = this.#contextOf(file);
      if (context === null) continue;
      const load = () => readServiceText(file, text, context);
      candidates.set(basename(dirname(file)), proposal(load));
    }
    return { kind: 'read', definitions: this.#files.peek(candidates) };
  }

  /** Of a file that is the definition of its folder, or would be; `null` for any other. */
  #contextOf(file: string): FolderContext | null {
    const folder = dirname(file);
    const folderName = basename(folder);
    if (dirname(folder) !== this.#path || isIgnored(folderName)) return null;
    const rank = DEFINITION_NAMES.indexOf(basename(file));
    const name = parseServiceName(folderName.trim());
    const isOutranked = DEFINITION_NAMES.slice(0, rank).some((preferred) =>
      existsSync(join(folder, preferred)),
    );
    if (rank === -1 || name === null || isOutranked) return null;
    return { folderName: name, ...this.#defaults };
  }

  #candidates(): FoundCandidates {
    let folderNames: readonly string[];
    try {
      folderNames = readdirSync(this.#path);
    } catch (error) {
      const reason = `cannot read the auto service folder '${this.#path}': ${messageOf(error)}`;
      return { kind: 'unavailable', reason };
    }
    const candidates = new Map<string, Candidate>();
    for (const folderName of folderNames) {
      if (isIgnored(folderName)) continue;
      const candidate = this.#candidateFor(folderName);
      if (candidate !== null) candidates.set(folderName, candidate);
    }
    return { kind: 'found', candidates };
  }

  #candidateFor(folderName: string): Candidate | null {
    const folder = join(this.#path, folderName);
    const name = parseServiceName(folderName.trim());
    try {
      const stats = statIfThere(folder);
      if (stats?.isDirectory() !== true) return null;
      if (name === null) {
        return unusable(folder, null, `expected the folder's name to be ${SERVICE_NAME_RULE}`);
      }
      return candidateIn(folder, stats, { folderName: name, ...this.#defaults });
    } catch (error) {
      // Not knowing what it holds is no reason to take it for removed.
      return unusable(folder, name, `cannot be read: ${messageOf(error)}`);
    }
  }
}

/** Whether a change of that file in a service folder (or of the folder) concerns its definition. */
export function isAutoServiceFile(name: string): boolean {
  return name === START_SCRIPT || DEFINITION_NAMES.includes(name);
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
  return !isIgnored(name);
}

function isIgnored(folderName: string): boolean {
  return folderName.startsWith('.') || folderName.endsWith(DISABLED_SUFFIX);
}

type FolderContext = ServiceFileContext & { readonly folderName: ServiceName };

function candidateIn(
  folder: string,
  folderStats: BigIntStats,
  context: FolderContext,
): Candidate | null {
  for (const definitionName of DEFINITION_NAMES) {
    const file = join(folder, definitionName);
    // A dangling link is there: what is wrong with it is said by the one who reads it.
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) continue;
    const stats = statIfThere(file);
    const isPreferred = definitionName === DEFINITION_NAMES[0];
    return {
      fingerprint: fingerprintOf(file, stats),
      changedAtMs: lastChangeMs(isPreferred ? [stats] : [stats, folderStats]),
      load: () => readServiceFile(file, context),
    };
  }
  return scriptCandidate(folder, folderStats, context);
}

function scriptCandidate(
  folder: string,
  folderStats: BigIntStats,
  context: FolderContext,
): Candidate | null {
  const script = statIfThere(join(folder, START_SCRIPT));
  if (script === undefined || !script.isFile() || (script.mode & 0o111n) === 0n) return null;
  return {
    fingerprint: `${folder} defaults`,
    // The folder's own change shows that a service.yml has just been taken away, or is coming.
    changedAtMs: lastChangeMs([script, folderStats]),
    load: () => defaultDefinition(folder, context),
  };
}

function unusable(folder: string, name: ServiceName | null, message: string): Candidate {
  const problem = { file: folder, line: null, column: null, keyPath: '', message };
  return {
    fingerprint: `${folder} ${message}`,
    changedAtMs: 0,
    load: () => ({ kind: 'invalid', name, file: folder, problems: [problem] }),
  };
}

function lastChangeMs(stats: readonly (BigIntStats | undefined)[]): number {
  return Math.max(...stats.map((each) => Number(each?.ctimeMs ?? 0)));
}
