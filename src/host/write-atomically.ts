import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { ProcessmasterError } from '../lib/errors.ts';
import { guard } from './safe-open.ts';
import { type Entry, walkTo } from './safe-walk.ts';

/**
 * Replaces a file's content as a whole: readers, and a crash at any moment, find the old or the new
 * one. An existing file keeps its owner and mode, a new one is root's and has `mode`. The rules of
 * safe-open hold for the path.
 * @throws ProcessmasterError `unsafe_path` when a link or something else than a file is there,
 *   else `io`.
 */
export function writeAtomically(
  path: string,
  data: string | Uint8Array,
  options: { readonly mode: number },
): void {
  guard(`cannot write '${path}'`, () =>
    walkTo(path, { createDirectories: false }, (entry) => {
      const existing = existingFile(entry);
      const name = `.processmaster-${randomBytes(8).toString('hex')}.tmp`;
      const fresh = `/proc/self/fd/${entry.folderFd}/${name}`;
      writeFresh(fresh, data, existing ?? { uid: 0, gid: 0, mode: options.mode });
      try {
        renameSync(fresh, entry.path);
      } catch (error) {
        unlinkSync(fresh);
        throw error;
      }
      syncFolder(entry.folderFd);
    }),
  );
}

type Ownership = Pick<Stats, 'uid' | 'gid' | 'mode'>;

function existingFile(entry: Entry): Ownership | null {
  const existing = lstatSync(entry.path, { throwIfNoEntry: false });
  if (existing === undefined) return null;
  // walkTo follows the link if it may, and says why if it may not.
  if (existing.isSymbolicLink()) throw Object.assign(new Error('a link'), { code: 'ELOOP' });
  if (!existing.isFile()) throw new ProcessmasterError('unsafe_path', 'it is no regular file');
  return existing;
}

function writeFresh(path: string, data: string | Uint8Array, ownership: Ownership): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, data);
    const made = fstatSync(fd);
    if (made.uid !== ownership.uid || made.gid !== ownership.gid) {
      fchownSync(fd, ownership.uid, ownership.gid);
    }
    fchmodSync(fd, ownership.mode & 0o7777);
    fsyncSync(fd);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Makes the rename last; fsync(2) wants a descriptor that is open for reading. */
function syncFolder(folderFd: number): void {
  const fd = openSync(`/proc/self/fd/${folderFd}`, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
