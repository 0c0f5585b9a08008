import type { Stats } from 'node:fs';
import { inFolderOf, type SafeFolder } from '../host/safe-folder.ts';
import { shiftFor } from './backup-numbers.ts';

/** More are never kept of one file: every rotation renames them all. */
export const MAX_BACKUPS = 1_000;

/** One earlier part of a log file: `<name>.<number>`, with `.gz` when it is compressed. */
export interface Backup {
  readonly number: number;
  readonly name: string;
  readonly isCompressed: boolean;
  readonly bytes: number;
  /** Of its last line, also when it is compressed. */
  readonly modifiedAtMs: number;
  readonly inode: number;
}

/** What is in the numbered names beside a log file. */
export interface Survey {
  /** Ascending by number: newest first. */
  readonly backups: readonly Backup[];
  /** Names that hold a link, a folder, or a file with a second name: none of ours. */
  readonly foreign: readonly string[];
  readonly foreignNumbers: ReadonlySet<number>;
}

/** The file to be rotated, as its writer has it open. */
export interface OpenFile {
  readonly device: number;
  readonly inode: number;
}

export interface Rotated {
  /** False when another file is at the path by now: nothing was done. */
  readonly isDone: boolean;
  /** Names in the way that are none of ours and were left alone. */
  readonly foreign: readonly string[];
}

/** A crash in a shift leaves a gap; behind one this wide nothing is looked for. */
const WIDEST_GAP = 4;

/**
 * Makes the file at `path` its newest backup and leaves at most `keep` of them. Killed at any
 * moment it has lost and overwritten nothing, and the next rotation goes on where it stopped.
 * @throws ProcessmasterError see {@link inFolderOf}
 */
export function rotateFile(path: string, open: OpenFile, keep: number): Rotated {
  return inFolderOf(path, (folder, name) => {
    const there = folder.stat(name);
    if (there?.ino !== open.inode || there.dev !== open.device) {
      return { isDone: false, foreign: [] };
    }
    const { backups, foreign, foreignNumbers } = survey(folder, name);
    const byNumber = new Map(backups.map((backup) => [backup.number, backup]));
    const shift = shiftFor([...byNumber.keys()], foreignNumbers, Math.min(keep, MAX_BACKUPS));
    for (const number of shift.remove) removeBackup(folder, byNumber.get(number));
    for (const { from, to } of shift.moves) {
      const backup = byNumber.get(from);
      if (backup !== undefined) folder.rename(backup.name, nameOf(name, to, backup.isCompressed));
    }
    if (shift.newest === null) folder.remove(name);
    else folder.rename(name, nameOf(name, shift.newest, false));
    return { isDone: true, foreign };
  });
}

/** Removes a backup if that is still under its name. @throws ProcessmasterError */
export function removeBackupOf(path: string, backup: Backup): void {
  inFolderOf(path, (folder) => removeBackup(folder, backup));
}

function removeBackup(folder: SafeFolder, backup: Backup | undefined): void {
  if (backup === undefined || folder.stat(backup.name)?.ino !== backup.inode) return;
  folder.remove(backup.name);
}

/**
 * Looks name by name: a folder that its owner has filled costs no more than any other. Where a
 * number is there twice, a crash came between the compressed file and the removal of the plain one:
 * the plain one is whole, the other one goes.
 */
export function survey(folder: SafeFolder, live: string): Survey {
  const { doubled, ...found } = lookThrough(folder, live);
  for (const name of doubled) folder.remove(name);
  return found;
}

/** The backups of a log file, newest first, for somebody who only reads: nothing is changed. */
export function backupsToRead(folder: SafeFolder, live: string): readonly Backup[] {
  return lookThrough(folder, live).backups;
}

/** `doubled`: compressed ones whose plain one is there, too. */
function lookThrough(folder: SafeFolder, live: string): Survey & { doubled: readonly string[] } {
  const backups: Backup[] = [];
  const doubled: string[] = [];
  const foreign: string[] = [];
  const foreignNumbers = new Set<number>();
  for (let number = 1, last = 0; number <= last + WIDEST_GAP; number += 1) {
    const plain = lookAt(folder, nameOf(live, number, false));
    const compressed = lookAt(folder, nameOf(live, number, true));
    const strangers = [plain, compressed].filter((each) => each?.isForeign);
    if (plain !== null || compressed !== null) last = number;
    if (strangers.length > 0) {
      foreign.push(...strangers.map((each) => each?.name ?? ''));
      foreignNumbers.add(number);
      continue;
    }
    if (plain !== null && compressed !== null) doubled.push(compressed.name);
    const found = plain ?? compressed;
    if (found !== null) backups.push(backupOf(number, found, plain === null));
    if (number > MAX_BACKUPS + foreign.length) break;
  }
  return { backups, foreign, foreignNumbers, doubled };
}

interface Found {
  readonly name: string;
  readonly stats: Stats;
  readonly isForeign: boolean;
}

function lookAt(folder: SafeFolder, name: string): Found | null {
  const stats = folder.stat(name);
  if (stats === null) return null;
  return { name, stats, isForeign: !stats.isFile() || stats.nlink !== 1 };
}

function backupOf(number: number, { name, stats }: Found, isCompressed: boolean): Backup {
  const { size, mtimeMs, ino } = stats;
  return { number, name, isCompressed, bytes: size, modifiedAtMs: mtimeMs, inode: ino };
}

/** The name of a backup of the file `live`. */
export function nameOf(live: string, number: number, isCompressed: boolean): string {
  return `${live}.${number}${isCompressed ? '.gz' : ''}`;
}
