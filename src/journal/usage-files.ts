import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ownDirectory } from '../host/own-directory.ts';
import { isErrno } from '../lib/errors.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';
import { SAMPLE_MS, SAMPLES_KEPT } from '../model/usage-sample.ts';
import { placeOf, RECORD_BYTES } from './usage-record.ts';

const RING = '.ring';
/** So much for everything: 300 KB a service. Services beyond it are not kept. */
export const MOST_RINGS = 3_000;

/** Records of samples that follow each other. */
export interface SampleRecords {
  /** The number of the first. */
  readonly first: number;
  readonly bytes: Buffer;
}

/**
 * What services used, a file of a day for each: `<state directory>/usage/<service>.ring`, in which a sample
 * is written over that of the day before. Nothing is synced: a power cut may cost the last minute.
 *
 * INVARIANTS: no file grows beyond a day; there are {@link MOST_RINGS} at most.
 */
export class UsageFiles {
  readonly #directory: string;
  /** Of those that have a file; `null` before the first is written. */
  #names: Set<ServiceName> | null = null;
  #isFull = false;

  /** The folder is made when something is written. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether there was no room for one more service. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Writes records of samples that follow each other.
   * @throws ProcessmasterError `unsafe_path` when others than root may write there, or what the system says
   */
  write(name: ServiceName, { first, bytes }: SampleRecords): void {
    const names = this.#known();
    this.#isFull = names.size >= MOST_RINGS && !names.has(name);
    if (this.#isFull) return;
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    const fd = openSync(this.#path(name), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    names.add(name);
    try {
      for (const { at, length, position } of pieces(first, bytes.length)) {
        writeSync(fd, bytes, at, length, position);
      }
    } finally {
      closeSync(fd);
    }
  }

  /**
   * The bytes of `count` samples from a number on, a day's at most; there may be fewer bytes, and others
   * than of these samples (see `hasRecord`). @throws what the system says
   */
  read(name: ServiceName, first: number, count: number): Buffer {
    const bytes = Buffer.alloc(Math.min(count, SAMPLES_KEPT) * RECORD_BYTES);
    const fd = this.#openToRead(name);
    if (fd === null) return bytes;
    try {
      for (const { at, length, position } of pieces(first, bytes.length)) {
        readSync(fd, bytes, at, length, position);
      }
    } finally {
      closeSync(fd);
    }
    return bytes;
  }

  /** @throws what the system says */
  remove(name: ServiceName): void {
    rmSync(this.#path(name), { force: true });
    this.#names?.delete(name);
  }

  /** Removes those that have nothing of the last day. @throws what the system says */
  prune(wallMs: number): void {
    for (const name of this.#known()) {
      const stats = statSync(this.#path(name), { throwIfNoEntry: false });
      const isOld = stats !== undefined && stats.mtimeMs < wallMs - SAMPLES_KEPT * SAMPLE_MS;
      if (stats === undefined || isOld) this.remove(name);
    }
  }

  #known(): Set<ServiceName> {
    if (this.#names !== null) return this.#names;
    ownDirectory(this.#directory, 0o700);
    const files = readdirSync(this.#directory).filter((file) => file.endsWith(RING));
    this.#names = new Set(
      files.flatMap((file) => parseServiceName(file.slice(0, -RING.length)) ?? []),
    );
    return this.#names;
  }

  #openToRead(name: ServiceName): number | null {
    try {
      return openSync(this.#path(name), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null;
      throw error;
    }
  }

  #path(name: ServiceName): string {
    return join(this.#directory, `${name}${RING}`);
  }
}

/** Where in the ring bytes belong: up to its end, then from its beginning on. */
function pieces(first: number, length: number) {
  const position = placeOf(first) * RECORD_BYTES;
  const untilEnd = Math.min(length, SAMPLES_KEPT * RECORD_BYTES - position);
  return [
    { at: 0, length: untilEnd, position },
    { at: untilEnd, length: length - untilEnd, position: 0 },
  ].filter((piece) => piece.length > 0);
}
