import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  readdirSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { syncFolder, writeTemporary } from './fresh-file.ts';
import { guard, openExisting, readUpTo } from './safe-open.ts';
import { walkTo } from './safe-walk.ts';

export interface Replacement {
  /** Absolute. */
  readonly folder: string;
  /** The names of what is replaced; the first is that of the new file, the others go. */
  readonly names: readonly [string, ...string[]];
  readonly data: string;
  /** Of the new file, which is owned like its folder. */
  readonly mode: number;
  /** A regular file that asks for this; removed when all is done, and by nothing less. */
  readonly marker: string;
  /** A larger file is not replaced. */
  readonly maxBytes: number;
}

/** Under which name (in the same folder) what was there is to be found. */
export interface Kept {
  readonly name: string;
  readonly backup: string;
}

/** A file that is to go, as it was found. */
interface Old {
  readonly name: string;
  readonly stats: BigIntStats;
  readonly content: Buffer;
  /** The name that an attempt gave it which was broken off. */
  readonly backup: string | null;
}

/** An open folder, and the way back from what was done in it so far. */
interface Workplace {
  readonly folderFd: number;
  readonly at: (name: string) => string;
  readonly undos: (() => void)[];
}

const MAX_BACKUPS = 10_000;

/**
 * Writes a file anew in the place of others, each of which is kept as `<first name>.bak`, `.bak.1`, …,
 * never over anything. The rules of safe-open hold for the folder, and nothing but regular files of a
 * single name are touched. Readers find the old file or the new, also after a crash: another call
 * then finishes what the first began. When it fails, all is as it was. `null` without a marker.
 * @throws ProcessmasterError `unsafe_path` when one of the files is a link or no file, `conflict` when
 *   somebody else changes them just now, else `io`.
 */
export function replaceKeeping(replacement: Replacement): readonly Kept[] | null {
  const { folder, names, marker } = replacement;
  const path = `${folder}/${names[0]}`;
  return guard(`cannot write '${path}' anew`, () =>
    walkTo(path, { createDirectories: false }, ({ folderFd }) => {
      const at = (name: string) => `/proc/self/fd/${folderFd}/${name}`;
      const asked = lstatIfThere(at(marker));
      if (asked === null) return null;
      if (!asked.isFile()) throw unsafe(marker, 'is no regular file');
      const place: Workplace = { folderFd, at, undos: [] };
      try {
        const kept = replace(replacement, place, asked);
        syncFolder(folderFd);
        unlinkSync(at(marker));
        syncFolder(folderFd);
        return kept;
      } catch (error) {
        throw takeBack(place, error);
      }
    }),
  );
}

function replace(
  { names, data, mode, maxBytes }: Replacement,
  place: Workplace,
  asked: BigIntStats,
): readonly Kept[] {
  const [newName] = names;
  const backups = readdirSync(place.at('.')).filter((name) => isBackupOf(newName, name));
  const olds = names.flatMap((name) => look(place, name, backups, maxBytes) ?? []);
  // One that came after the marker is ours, of an attempt that was broken off.
  const isOurs = ({ name, stats, content }: Old) =>
    name === newName && stats.ctimeNs >= asked.ctimeNs && content.equals(Buffer.from(data));
  const going = olds.filter((old) => !isOurs(old));
  const isWritten = going.length < olds.length;
  const temporary = isWritten ? null : prepare(place, data, mode);
  const kept = going.map((old) => keep(place, newName, old));
  if (temporary !== null) {
    const there = kept.find(({ name }) => name === newName);
    if (there === undefined) create(place, newName, temporary);
    else swap(place, there, temporary);
  }
  for (const other of kept) if (other.name !== newName) remove(place, other);
  return kept;
}

/** Null when nothing is there. */
function look(
  { folderFd, at }: Workplace,
  name: string,
  backups: readonly string[],
  maxBytes: number,
): Old | null {
  const found = lstatIfThere(at(name));
  if (found === null) return null;
  if (!found.isFile()) throw unsafe(name, 'is no regular file');
  const fd = openExisting({ folderFd, name, path: at(name) }, constants.O_RDONLY, () => {});
  try {
    const stats = fstatSync(fd, { bigint: true });
    const backup = backups.find((other) => isSame(lstatIfThere(at(other)), stats)) ?? null;
    // Two names are right only where the second came from here.
    if (stats.nlink !== (backup === null ? 1n : 2n)) throw unsafe(name, 'has other hard links');
    return { name, stats, content: readUpTo(fd, maxBytes), backup };
  } finally {
    closeSync(fd);
  }
}

/** The new file, complete, under a temporary name. On a full disk, all ends here. */
function prepare(place: Workplace, data: string, mode: number): string {
  const { uid, gid } = fstatSync(place.folderFd);
  const temporary = writeTemporary(place.folderFd, data, { uid, gid, mode });
  place.undos.push(() => unlinkIfThere(temporary));
  return temporary;
}

/** Gives a file its second name. What is still written into it by the first is kept, too. */
function keep({ at, undos }: Workplace, base: string, old: Old): Kept {
  const backup = old.backup ?? linkToFreeName(at, old.name, base);
  undos.push(() => {
    // Never the last name that it has.
    if (isSame(lstatIfThere(at(old.name)), old.stats)) unlinkIfThere(at(backup));
  });
  if (!isSame(lstatIfThere(at(backup)), old.stats)) throw changedMeanwhile(old.name);
  return { name: old.name, backup };
}

function linkToFreeName(at: Workplace['at'], name: string, base: string): string {
  for (let number = 0; number < MAX_BACKUPS; number += 1) {
    const backup = number === 0 ? `${base}.bak` : `${base}.bak.${number}`;
    try {
      linkSync(at(name), at(backup));
      return backup;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
  }
  throw new ProcessmasterError('io', `there are ${MAX_BACKUPS} backups of '${base}' already`);
}

function create({ at, undos }: Workplace, name: string, temporary: string): void {
  const made = lstatSync(temporary, { bigint: true });
  // Unlike rename(2), link(2) never takes the place of anything.
  linkSync(temporary, at(name));
  undos.push(() => {
    if (isSame(lstatIfThere(at(name)), made)) unlinkSync(at(name));
  });
  unlinkSync(temporary);
}

/** Between the look and the rename a few microseconds are left. */
function swap({ at, undos }: Workplace, { name, backup }: Kept, temporary: string): void {
  const made = lstatSync(temporary, { bigint: true });
  expectStill(at, { name, backup });
  renameSync(temporary, at(name));
  undos.push(() => {
    if (isSame(lstatIfThere(at(name)), made)) renameSync(at(backup), at(name));
  });
}

function remove({ at, undos }: Workplace, { name, backup }: Kept): void {
  expectStill(at, { name, backup });
  unlinkSync(at(name));
  undos.push(() => linkSync(at(backup), at(name)));
}

function expectStill(at: Workplace['at'], { name, backup }: Kept): void {
  const kept = lstatSync(at(backup), { bigint: true });
  if (!isSame(lstatIfThere(at(name)), kept)) throw changedMeanwhile(name);
}

/** The error, after everything was taken back, the last first; it says so where that failed, too. */
function takeBack({ undos }: Workplace, error: unknown): unknown {
  const troubles = undos.toReversed().flatMap((undo) => {
    try {
      undo();
      return [];
    } catch (trouble) {
      return [messageOf(trouble)];
    }
  });
  if (troubles.length === 0) return error;
  const message = `${messageOf(error)}; and it could not be taken back: ${troubles.join('; ')}`;
  return new ProcessmasterError('io', message, { cause: error });
}

function isBackupOf(base: string, name: string): boolean {
  return name.startsWith(`${base}.bak`) && /^(?:\.\d+)?$/.test(name.slice(`${base}.bak`.length));
}

function lstatIfThere(path: string): BigIntStats | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

function unlinkIfThere(path: string): void {
  if (lstatIfThere(path) !== null) unlinkSync(path);
}

function isSame(one: BigIntStats | null, other: BigIntStats): boolean {
  return one?.ino === other.ino && one.dev === other.dev;
}

function unsafe(name: string, why: string): ProcessmasterError {
  return new ProcessmasterError('unsafe_path', `'${name}' ${why} (remove it, or put a file there)`);
}

function changedMeanwhile(name: string): ProcessmasterError {
  return new ProcessmasterError('conflict', `somebody else changes '${name}' just now`);
}
