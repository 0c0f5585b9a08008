import { type BigIntStats, existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Instant } from '../lib/clock.ts';
import { isErrno, messageOf } from '../lib/errors.ts';
import type { SourceContent } from '../model/desired.ts';
import { parseServiceName, SERVICE_NAME_RULE, type ServiceName } from '../model/service-name.ts';
import type { SourceId } from '../model/service-spec.ts';
import {
  proposal,
  type ReadOptions,
  type Source,
  type SourceReading,
  unavailable,
} from './config-directory.ts';
import type { FileWish } from './file-wish.ts';
import { readServiceText } from './service-file.ts';
import {
  candidateIn,
  DEFINITION_NAMES,
  definitionsIn,
  type FolderCandidate,
  type FolderContext,
  isServiceFolderName,
  lastChangeMs,
  markerIn,
  unusable,
  versionOf,
} from './service-folder.ts';
import { type Candidate, SettledFiles, settlesInMs, statIfThere } from './settled-files.ts';
import { topLevelChangedAtMs } from './top-level.ts';

export interface AutoServiceDefaults {
  readonly defaultUser: string | null;
  readonly defaultGroup: string | null;
}

/** A folder that may be a service. */
interface ServiceFolder {
  readonly id: string;
  readonly name: ServiceName;
  readonly path: string;
  readonly stats: BigIntStats;
  /** What has the marker's name, whatever it is. */
  readonly marker: BigIntStats | null;
  /** Of the marker and what it is about; empty without. */
  readonly version: string;
}

type Unavailable = Extract<SourceContent, { readonly kind: 'unavailable' }>;

/** What is there now. */
interface Found {
  readonly kind: 'found';
  readonly candidates: ReadonlyMap<string, FolderCandidate>;
  readonly folders: readonly ServiceFolder[];
}

/**
 * Each direct child folder is a service of its name, unless it is hidden or ends in `.disabled`:
 * defined by its `service.yml`, else `service.yaml`, else by built-in defaults once there is an
 * executable `run.sh`. A folder with none of these is not yet a service; a new one is not read
 * before nothing in its top level has changed for a moment, as it may be a copy under way.
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

  read(now: Instant, options: ReadOptions = {}): SourceReading {
    const { settled = false } = options;
    const found = this.#find(now, options);
    if (found.kind === 'unavailable') return unavailable(found.reason);
    const { definitions, lookAgainAfterMs } = this.#files.refresh(found.candidates, now, settled);
    const wanted = found.folders.map((folder) =>
      this.#wish(folder, found.candidates, now, settled),
    );
    const waits = [lookAgainAfterMs, ...wanted].filter((wait) => typeof wait === 'number');
    return {
      content: { kind: 'read', definitions },
      lookAgainAfterMs: waits.length === 0 ? null : Math.min(...waits),
      wishes: wanted.filter((wish) => wish !== null && typeof wish !== 'number'),
    };
  }

  loadAhead(now: Instant, { settled = false }: ReadOptions = {}): Iterable<void> {
    const found = this.#find(now, { settled });
    return found.kind === 'found' ? this.#files.loadAhead(found.candidates, now, settled) : [];
  }

  holds(file: string): boolean {
    return this.#contextOf(file) !== null;
  }

  peek(texts: ReadonlyMap<string, string>): SourceContent {
    const found = this.#find(null, { settled: true });
    if (found.kind === 'unavailable') return found;
    const candidates = new Map<string, Candidate>(found.candidates);
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
    if (dirname(folder) !== this.#path || !isServiceFolderName(folderName)) return null;
    const rank = DEFINITION_NAMES.indexOf(basename(file));
    const name = parseServiceName(folderName.trim());
    const isOutranked = DEFINITION_NAMES.slice(0, rank).some((preferred) =>
      existsSync(join(folder, preferred)),
    );
    if (rank === -1 || name === null || isOutranked) return null;
    return { folderName: name, ...this.#defaults };
  }

  #find(now: Instant | null, options: ReadOptions): Found | Unavailable {
    let folderNames: readonly string[];
    try {
      folderNames = readdirSync(this.#path);
    } catch (error) {
      const reason = `cannot read the auto service folder '${this.#path}': ${messageOf(error)}`;
      return { kind: 'unavailable', reason };
    }
    const candidates = new Map<string, FolderCandidate>();
    const folders: ServiceFolder[] = [];
    for (const id of folderNames) {
      if (!isServiceFolderName(id)) continue;
      const found = this.#look(id, now, options);
      if (found === null) continue;
      if (found.candidate !== null) candidates.set(id, found.candidate);
      if (found.folder !== null) folders.push(found.folder);
    }
    return { kind: 'found', candidates, folders };
  }

  #look(id: string, now: Instant | null, options: ReadOptions) {
    const path = join(this.#path, id);
    const name = parseServiceName(id.trim());
    try {
      const stats = statIfThere(path);
      if (stats?.isDirectory() !== true) return null;
      if (name === null) {
        const why = `expected the folder's name to be ${SERVICE_NAME_RULE}`;
        return { folder: null, candidate: unusable(path, null, why) };
      }
      const marker = markerIn(path);
      const version = marker === null ? '' : versionOf([marker, ...definitionsIn(path)]);
      const folder = { id, name, path, stats, marker, version };
      const candidate = candidateIn(path, stats, { folderName: name, ...this.#defaults });
      const waiting = candidate && this.#afterCopy(folder, candidate, now, options);
      return { folder, candidate: waiting };
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null;
      // Not knowing what it holds is no reason to take it for removed.
      const why = `cannot be read: ${messageOf(error)}`;
      return { folder: null, candidate: unusable(path, name, why) };
    }
  }

  /** The candidate, younger where its folder is new and still changes. */
  #afterCopy(
    { id, path, stats }: ServiceFolder,
    candidate: FolderCandidate,
    now: Instant | null,
    { settled = false, written }: ReadOptions,
  ): FolderCandidate {
    if (written?.has(path) === true) return { ...candidate, changedAtMs: 0 };
    if (now === null || settled || this.#files.knows(id)) return candidate;
    const folderChangedAtMs = Math.max(candidate.changedAtMs, Number(stats.ctimeMs));
    const isSettled = settlesInMs(folderChangedAtMs, now) === null;
    const changedAtMs = isSettled
      ? Math.max(folderChangedAtMs, topLevelChangedAtMs(path))
      : folderChangedAtMs;
    return { ...candidate, changedAtMs };
  }

  /** What the folder should have, in how many milliseconds it can be told, or null: nothing. */
  #wish(
    { id, name, path, stats, marker, version }: ServiceFolder,
    candidates: ReadonlyMap<string, FolderCandidate>,
    now: Instant,
    settled: boolean,
  ): FileWish | number | null {
    const candidate = candidates.get(id);
    if (marker === null) {
      const isInForce = candidate?.isDefault === true && this.#files.isCurrent(id, candidate);
      return isInForce ? { kind: 'generate', service: name, folder: path, version: '' } : null;
    }
    const changedAtMs = candidate?.changedAtMs ?? lastChangeMs([stats]);
    const waitMs = settlesInMs(Math.max(lastChangeMs([marker]), changedAtMs), now);
    if (waitMs !== null && !settled) return waitMs;
    return { kind: 'regenerate', service: name, folder: path, version };
  }
}
