import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Instant } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { SourceContent } from '../model/desired.ts';
import type { SourceId } from '../model/service-spec.ts';
import { readServiceFile } from './service-file.ts';
import { type Candidate, fingerprintOf, SettledFiles, statIfThere } from './settled-files.ts';

/** A source's whole present content. */
export interface SourceReading {
  readonly content: SourceContent;
  /** Some files are still being written: look again after this many milliseconds. */
  readonly lookAgainAfterMs: number | null;
}

export interface ReadOptions {
  /** Read every file as it is now, however young (at start, `pmctl update`). */
  readonly settled?: boolean;
}

/** Anything that specs come from. */
export interface Source {
  readonly id: SourceId;
  read(now: Instant, options?: ReadOptions): SourceReading;
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
    let names: readonly string[];
    try {
      names = readdirSync(this.#path);
    } catch (error) {
      return unavailable(`cannot read the config folder '${this.#path}': ${messageOf(error)}`);
    }
    const candidates = new Map(
      names
        .filter(isDefinitionName)
        .map((name) => join(this.#path, name))
        .map((file): [string, Candidate] => [file, candidateFor(file)]),
    );
    const { definitions, lookAgainAfterMs } = this.#files.refresh(candidates, now, settled);
    return { content: { kind: 'read', definitions }, lookAgainAfterMs };
  }
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
