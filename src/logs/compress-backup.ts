import { close, fstatSync, fsync, futimesSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from '../host/gzip.ts';
import { inFolderOf, type SafeFolder } from '../host/safe-folder.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { type Backup, nameOf, survey } from './backups.ts';

const MODE = 0o640;
/**
 * A backup is left alone for so long: of a service that says more than gzip can take, most are gone
 * by then, and the work on them would only be in its way.
 */
export const RESTS_FOR_MS = 2_000;

/** `later`: there is one that was put aside just now. */
export type Compressed = 'done' | 'none' | 'later';

interface Job {
  readonly backup: Backup;
  readonly source: number;
  readonly target: number;
}

/**
 * Compresses the newest backup of the file at `path` that is not compressed and not in `skipped`.
 * The plain one goes only when the other one is whole and has its name; a backup that is renumbered
 * meanwhile is found by its inode.
 * @throws ProcessmasterError when it could not be; the backup stays and is in `skipped` from then on
 */
export async function compressNewest(
  path: string,
  skipped: Set<string>,
  signal: AbortSignal,
): Promise<Compressed> {
  const job = inFolderOf(path, (folder, live) => begin(folder, live, skipped));
  if (job === 'none' || job === 'later') return job;
  try {
    await gzip(job.source, job.target, signal);
    await promisify(fsync)(job.target);
    futimesSync(job.target, Date.now() / 1_000, job.backup.modifiedAtMs / 1_000);
    inFolderOf(path, (folder, live) => finish(folder, live, job));
  } catch (error) {
    skipped.add(keyOf(job.backup));
    inFolderOf(path, removeLeftover);
    throw error;
  } finally {
    // Off this thread: closing frees what was removed.
    close(job.source, () => {});
    close(job.target, () => {});
  }
  return 'done';
}

function begin(
  folder: SafeFolder,
  live: string,
  skipped: ReadonlySet<string>,
): Job | 'none' | 'later' {
  removeLeftover(folder, live);
  const wanted = ({ isCompressed, ...backup }: Backup) =>
    !isCompressed && !skipped.has(keyOf(backup));
  const backups = survey(folder, live).backups.filter(wanted);
  const backup = backups.find(isAtRest);
  if (backup === undefined) return backups.length === 0 ? 'none' : 'later';
  const source = folder.openToRead(backup.name);
  let target: number | null = null;
  try {
    target = folder.create(temporaryName(live), MODE);
    if (target === null) throw new ProcessmasterError('conflict', 'its temporary file is there');
    return { backup, source, target };
  } finally {
    if (target === null) close(source, () => {});
  }
}

function finish(folder: SafeFolder, live: string, { backup, target }: Job): void {
  const temporary = temporaryName(live);
  if (folder.stat(temporary)?.ino !== fstatSync(target).ino) {
    throw new ProcessmasterError('conflict', 'somebody took its temporary file away');
  }
  const now = survey(folder, live).backups.find(({ inode }) => inode === backup.inode);
  // It was too old, or too much, before it was finished.
  if (now === undefined) {
    folder.remove(temporary);
    return;
  }
  folder.rename(temporary, nameOf(live, now.number, true));
  folder.remove(now.name);
}

/** What a keeper that was killed had not finished: the plain backup is still there. */
function removeLeftover(folder: SafeFolder, live: string): void {
  if (folder.stat(temporaryName(live)) !== null) folder.remove(temporaryName(live));
}

function temporaryName(live: string): string {
  return `.${live}.gz.tmp`;
}

/** One from the future is as good as old: the clock was set. */
function isAtRest({ modifiedAtMs }: Backup): boolean {
  return Math.abs(Date.now() - modifiedAtMs) >= RESTS_FOR_MS;
}

/** The inode alone may be another file's by now. */
function keyOf({ inode, modifiedAtMs }: Pick<Backup, 'inode' | 'modifiedAtMs'>): string {
  return `${inode}:${modifiedAtMs}`;
}
