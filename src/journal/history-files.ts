import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';

export interface HistoryFilesOptions {
  /** `<runtime directory>/services`; only root may write there. */
  readonly directory: string;
  /** What was found and could not be used, in words. */
  readonly onTrouble: (message: string) => void;
}

const HISTORY_FILE = 'history.json';

/**
 * The history of each service beside its run, in `<directory>/<name>/history.json`, 0600.
 *
 * INVARIANTS: a file is whole or the one before (temp file and rename; the runtime directory is a
 * tmpfs, so nothing is synced); what cannot be understood is set aside, never overwritten.
 */
export class HistoryFiles {
  readonly #directory: string;
  readonly #onTrouble: (message: string) => void;

  constructor(options: HistoryFilesOptions) {
    this.#directory = options.directory;
    this.#onTrouble = options.onTrouble;
  }

  /** The folder of a service, 0700, made when it is not there. @throws ProcessmasterError `io` */
  folder(name: ServiceName): string {
    const folder = join(this.#directory, name);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return folder;
    } catch (cause) {
      throw cannot('make the folder', folder, cause);
    }
  }

  /** What was saved last; `null` when nothing was, or nothing that can be read. */
  load(name: ServiceName): unknown {
    const path = join(this.#directory, name, HISTORY_FILE);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) this.#setAside(path, error);
      return null;
    }
  }

  /** What was saved of every service that has a folder. */
  loadAll(): ReadonlyMap<ServiceName, unknown> {
    const values = new Map<ServiceName, unknown>();
    for (const name of this.#names()) {
      const value = this.load(name);
      if (value !== null) values.set(name, value);
    }
    return values;
  }

  /** Replaces what was saved. @throws ProcessmasterError `io`; what was saved before stays. */
  save(name: ServiceName, value: unknown): void {
    const path = join(this.#directory, name, HISTORY_FILE);
    // One writer, in a folder only root can enter: the temporary name need not be random, and what
    // a failure leaves is overwritten next time.
    const temporary = `${path}.tmp`;
    const text = JSON.stringify(value);
    const write = () => writeFileSync(temporary, text, { mode: 0o600 });
    try {
      // Saved often, made once.
      if (!succeedsUnlessMissing(write)) {
        this.folder(name);
        write();
      }
      renameSync(temporary, path);
    } catch (cause) {
      throw cannot('write', path, cause);
    }
  }

  /** Removes the folder of a service with everything in it. @throws ProcessmasterError `io` */
  remove(name: ServiceName): void {
    const folder = join(this.#directory, name);
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (cause) {
      throw cannot('remove', folder, cause);
    }
  }

  #names(): readonly ServiceName[] {
    try {
      return readdirSync(this.#directory).flatMap((entry) => parseServiceName(entry) ?? []);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) {
        this.#onTrouble(`cannot read '${this.#directory}': ${messageOf(error)}`);
      }
      return [];
    }
  }

  #setAside(path: string, error: unknown): void {
    const why = error instanceof SyntaxError ? 'it is not whole JSON' : messageOf(error);
    let n = 1;
    while (existsSync(`${path}.corrupt-${n}`)) n += 1;
    const aside = `${path}.corrupt-${n}`;
    try {
      renameSync(path, aside);
      this.#onTrouble(`cannot use '${path}': ${why} (moved to '${aside}')`);
    } catch (cause) {
      this.#onTrouble(`cannot use '${path}': ${why} (nor move it away: ${messageOf(cause)})`);
    }
  }
}

function succeedsUnlessMissing(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function cannot(what: string, path: string, cause: unknown): ProcessmasterError {
  return new ProcessmasterError('io', `cannot ${what} '${path}': ${messageOf(cause)}`, { cause });
}
