import { type BigIntStats, closeSync, constants, fstatSync, renameSync, unlinkSync } from 'node:fs';
import { isErrno, ProcessmasterError } from '../lib/errors.ts';
import { syncFolder, writeFresh, writeTemporary } from './fresh-file.ts';
import { guard, openExisting, readUpTo, refuseOtherNames } from './safe-open.ts';
import { type Entry, walkTo } from './safe-walk.ts';

export interface WriteOptions {
  /** Of a file that is created, whatever the umask. */
  readonly mode: number;
  /** A larger file is not read, and so not replaced. */
  readonly maxBytes: number;
}

/** The new content, from the present one (`null`: no file is there); `null` leaves it as it is. */
export type Change = (content: Buffer | null) => string | Uint8Array | null;

/** What was read, and by what a later look tells whether it is still that. */
interface Seen {
  readonly stats: BigIntStats;
  readonly content: Buffer;
}

/** Somebody else wrote at the same time: it is tried this often. */
const ATTEMPTS = 2;

/**
 * Changes a file as a whole: readers, and a crash at any moment, find the old content or the new. A
 * file that is replaced keeps owner, group and mode; one that is created belongs to the owner of its
 * folder. The rules of safe-open hold for the path, and a file with several names is left alone,
 * because they would part. Gives whether anything was written.
 *
 * `change` may be asked again: when somebody else wrote in between, what they wrote is looked at
 * anew. (Between the last look and the rename a few microseconds are left.)
 * @throws ProcessmasterError `unsafe_path` when a link or something else than a file is there,
 *   `conflict` when it changed under each attempt, else `io`.
 */
export function writeAtomically(path: string, change: Change, options: WriteOptions): boolean {
  return guard(`cannot write '${path}'`, () =>
    walkTo(path, { createDirectories: false }, (entry) => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        const seen = look(entry, options.maxBytes);
        const data = change(seen?.content ?? null);
        if (data === null) return false;
        const isWritten =
          seen === null ? create(entry, data, options) : replace(entry, data, seen, options);
        if (isWritten) return true;
      }
      throw new ProcessmasterError('conflict', 'somebody else changes it just now (try again)');
    }),
  );
}

/** Null when nothing is there. */
function look(entry: Entry, maxBytes: number): Seen | null {
  let fd: number;
  try {
    fd = openExisting(entry, constants.O_RDONLY, refuseOtherNames);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    const stats = fstatSync(fd, { bigint: true });
    return { stats, content: readUpTo(fd, maxBytes) };
  } finally {
    closeSync(fd);
  }
}

/**
 * False when something is there by now. Written in place: a crash leaves an empty file, and linking
 * a finished one to the name could leave it with two.
 */
function create(entry: Entry, data: string | Uint8Array, { mode }: WriteOptions): boolean {
  const { uid, gid } = fstatSync(entry.folderFd);
  try {
    writeFresh(entry.path, data, { uid, gid, mode });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
  syncFolder(entry.folderFd);
  return true;
}

/** False when it is no longer what was seen. */
function replace(
  entry: Entry,
  data: string | Uint8Array,
  seen: Seen,
  { maxBytes }: WriteOptions,
): boolean {
  const { uid, gid, mode } = seen.stats;
  const owner = { uid: Number(uid), gid: Number(gid), mode: Number(mode) };
  const fresh = writeTemporary(entry.folderFd, data, owner);
  let isRenamed = false;
  try {
    if (!isStill(seen, look(entry, maxBytes))) return false;
    renameSync(fresh, entry.path);
    isRenamed = true;
  } finally {
    if (!isRenamed) unlinkSync(fresh);
  }
  syncFolder(entry.folderFd);
  return true;
}

function isStill({ stats, content }: Seen, now: Seen | null): boolean {
  const facts = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const;
  return (
    now !== null &&
    facts.every((fact) => now.stats[fact] === stats[fact]) &&
    now.content.equals(content)
  );
}
