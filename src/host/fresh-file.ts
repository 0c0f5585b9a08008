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
  unlinkSync,
  writeFileSync,
} from 'node:fs';

export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const TEMPORARY_PREFIX = '.processmaster-';
const TEMPORARY = /^\.processmaster-[0-9a-f]{16}\.tmp$/;

/** Whether a file has the name of one that was to replace another: left by a crash in between. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** A new file in an open folder, complete and on disk, under a name that nobody knows; its path. */
export function writeTemporary(
  folderFd: number,
  data: string | Uint8Array,
  owner: Ownership,
): string {
  const name = `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}.tmp`;
  const path = `/proc/self/fd/${folderFd}/${name}`;
  writeFresh(path, data, owner);
  return path;
}

/** Owner and mode are set through the descriptor: the name may be somebody else's by then. */
export function writeFresh(path: string, data: string | Uint8Array, owner: Ownership): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, data);
    const made = fstatSync(fd);
    if (made.uid !== owner.uid || made.gid !== owner.gid) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, owner.mode & 0o7777);
    fsyncSync(fd);
  } catch (error) {
    unlinkIfThis(path, fd);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** What failed to be written goes; what somebody put in its place stays. */
function unlinkIfThis(path: string, fd: number): void {
  const mine = fstatSync(fd);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.ino === mine.ino && there.dev === mine.dev) unlinkSync(path);
}

/** Makes the change of the folder last; fsync(2) wants a descriptor that is open for reading. */
export function syncFolder(folderFd: number): void {
  const fd = openSync(`/proc/self/fd/${folderFd}`, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
