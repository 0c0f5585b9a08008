import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  type Stats,
} from 'node:fs';
import { ProcessmasterError } from '../lib/errors.ts';
import { type Entry, isFolderOf, O_PATH } from './safe-walk.ts';

/** Owner and group; `null` is as it is. */
export interface Ownership {
  readonly uid: number | null;
  readonly gid: number | null;
}

/**
 * Holds on to whatever an entry is, without opening it: an O_PATH descriptor, which the caller
 * closes. A link is not followed: it fails like open(2) does, with ELOOP, so that
 * {@link walkTo} judges it.
 */
export function holdEntry(entry: Entry): number {
  const fd = openSync(entry.path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (fstatSync(fd).isSymbolicLink()) throw Object.assign(new Error('a link'), { code: 'ELOOP' });
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Refuses to change what is no file, folder, FIFO or socket, and a file that has other names, unless
 * nobody but its owner could have given it this one: it could be anyone's.
 * @param folder  the folder that holds the name
 * @throws ProcessmasterError `unsafe_path`
 */
export function refuseForeign(file: Stats, folder: Stats): void {
  if (file.isDirectory()) return;
  if (!isChangeable(file)) {
    throw new ProcessmasterError('unsafe_path', 'it is a device');
  }
  if (file.nlink === 1 || isFolderOf(folder, file.uid)) return;
  throw new ProcessmasterError(
    'unsafe_path',
    `it has ${file.nlink} names and belongs to uid ${file.uid}, so it could be anyone's (remove the other hard links)`,
  );
}

/** Whether it is of a kind that has an owner and a mode to be changed. */
export function isChangeable(file: Stats): boolean {
  return file.isFile() || file.isDirectory() || file.isFIFO() || file.isSocket();
}

/** Gives a held file to somebody else; false when it is theirs already. */
export function giveTo(fd: number, file: Stats, { uid, gid }: Ownership): boolean {
  const owner = uid ?? file.uid;
  const group = gid ?? file.gid;
  if (owner === file.uid && group === file.gid) return false;
  // The magic link of proc(5) leads to the file itself; fchown(2) refuses O_PATH descriptors.
  chownSync(`/proc/self/fd/${fd}`, owner, group);
  return true;
}

/** Sets the mode of a held file. */
export function setMode(fd: number, mode: number): void {
  chmodSync(`/proc/self/fd/${fd}`, mode);
}
