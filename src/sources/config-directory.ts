import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Instant } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Definition, SourceContent } from '../model/desired.ts';
import type { SourceId } from '../model/service-spec.ts';
import type { FileWish } from './file-wish.ts';
import { readServiceFile, readServiceText } from './service-file.ts';
import { type Candidate, fingerprintOf, SettledFiles, statIfThere } from './settled-files.ts';

/** A source's whole present content. */
export interface SourceReading {
  readonly content: SourceContent;
  /** Some files are still being written: look again after this many milliseconds. */
  readonly lookAgainAfterMs: number | null;
  /** Left out where there never are any, or the folder cannot be read. */
  readonly wishes?: readonly FileWish[];
}

export interface ReadOptions {
  /** Read every file as it is now, however young (at start, `pmctl update`). */
  readonly settled?: boolean;
  /** Folders in which a wish has just been fulfilled: what is there now is complete. */
  readonly written?: ReadonlySet<string>;
}

/** Anything that specs come from. */
export interface Source {
  readonly id: SourceId;
  read(now: Instant, options?: ReadOptions): SourceReading;
  /** Does what takes long of a {@link read}, in steps of one file; changes nothing that is read. */
  loadAhead(now: Instant, options?: ReadOptions): Iterable<void>;
  /** Whether a file of that absolute path, if it is there, is a definition of this source. */
  holds(file: string): boolean;
  /**
   * What a settled {@link read} would give if these texts (by absolute path) lay in their places.
   * Nothing of it is remembered.
   */
  peek(texts: ReadonlyMap<string, string>): SourceContent;
}

/** Every `*.yml` and `*.yaml` of a folder, in any letter case; not below it, not hidden ones. */
export class ConfigDirectory implements Source {
  readonly id: SourceId;
  readonly #path: string;
  readonly #files = new SettledFiles();

  /** `path` is absolute. */
  constructor(path: string) {
    this.id = `config:${path}`;
    this.#path = path;
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
    return dirname(file) === this.#path && isDefinitionName(basename(file));
  }

  peek(texts: ReadonlyMap<string, string>): SourceContent {
    const found = this.#candidates();
    if (found.kind === 'unavailable') return found;
    const proposed = [...texts].filter(([file]) => this.holds(file));
    const candidates = new Map([
      ...found.candidates,
      ...proposed.map(
        ([file, text]) => [file, proposal(() => readServiceText(file, text))] as const,
      ),
    ]);
    return { kind: 'read', definitions: this.#files.peek(candidates) };
  }

  #candidates(): FoundCandidates {
    let names: readonly string[];
    try {
      names = readdirSync(this.#path);
    } catch (error) {
      const reason = `cannot read the config folder '${this.#path}': ${messageOf(error)}`;
      return { kind: 'unavailable', reason };
    }
    const files = names.filter(isDefinitionName).map((name) => join(this.#path, name));
    return {
      kind: 'found',
      candidates: new Map(files.map((file) => [file, candidateFor(file)])),
    };
  }
}

/** The definitions that a folder holds, by what identifies each of them. */
export type FoundCandidates =
  | { readonly kind: 'found'; readonly candidates: ReadonlyMap<string, Candidate> }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** A definition that is not there yet. */
export function proposal(load: () => Definition): Candidate {
  return { fingerprint: 'proposed', changedAtMs: 0, load };
}

/** Whether a file of that name in a config directory is a definition. */
export function isDefinitionName(name: string): boolean {
  return /^[^.].*\.ya?ml$/i.test(name);
}

/** A folder that could not be listed. Nothing is concluded from what it does not show. */
export function unavailable(reason: string): SourceReading {
  return { content: { kind: 'unavailable', reason }, lookAgainAfterMs: null };
}

function candidateFor(file: string): Candidate {
  const stats = statOrUndefined(file);
  return {
    fingerprint: fingerprintOf(file, stats),
    changedAtMs: Number(stats?.ctimeMs ?? 0),
    load: () => readServiceFile(file),
  };
}

/** Whatever stands in the way of looking at a file also does when reading it, and is said then. */
function statOrUndefined(file: string) {
  try {
    return statIfThere(file);
  } catch {
    return undefined;
  }
}
