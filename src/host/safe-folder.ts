import {
  close,
  closeSync,
  constants,
  lstatSync,
  renameSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { ProcessmasterError } from '../lib/errors.ts';
import { createNew, guard, openExisting, refuseOtherNames } from './safe-open.ts';
import { type Entry, walkTo } from './safe-walk.ts';

/** What can be done with the files of one open folder, by their names; nothing follows a link. */
export interface SafeFolder {
  /** What has this name, be it a link; null when nothing has. */
  stat(name: string): Stats | null;
  /** Opens a regular file that has no other name. The caller closes the descriptor. */
  openToRead(name: string): number;
  /** Creates a file; null when something has the name. The caller closes the descriptor. */
  create(name: string, mode: number): number | null;
  rename(from: string, to: string): void;
  /** Removes a name. The blocks of a large file are given back off this thread. */
  remove(name: string): void;
}

/**
 * Works in the folder that `path` lies in, as root and whosoever the folder is: it is held by its
 * descriptor, so swapping it, or one on the way to it, leads nowhere else. A link at `path` itself is
 * followed where nobody but root could have put it; `act` gets the name that the file has there.
 * @throws ProcessmasterError `unsafe_path` at a link that others could have put there, else `io`.
 */
export function inFolderOf<T>(path: string, act: (folder: SafeFolder, name: string) => T): T {
  return guard(`cannot work in the folder of '${path}'`, () =>
    walkTo(path, { createDirectories: false }, (entry) => {
      if (lstatSync(entry.path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
        // The walk goes on where it leads, if it may be trusted.
        throw Object.assign(new Error('a link'), { code: 'ELOOP' });
      }
      return act(folderOf(entry), entry.name);
    }),
  );
}

function folderOf({ folderFd }: Entry): SafeFolder {
  const at = (name: string): Entry => {
    if (name.includes('/')) throw new ProcessmasterError('internal', `'${name}' is no file name`);
    return { folderFd, name, path: `/proc/self/fd/${folderFd}/${name}` };
  };
  const openToRead = (name: string) => openExisting(at(name), constants.O_RDONLY, refuseOtherNames);
  return {
    stat: (name) => lstatSync(at(name).path, { throwIfNoEntry: false }) ?? null,
    openToRead,
    create: (name, mode) => createNew(at(name), mode),
    rename: (from, to) => renameSync(at(from).path, at(to).path),
    remove: (name) => removeFile(at(name), openToRead),
  };
}

/** While a descriptor is open, unlink(2) takes the name alone, however large the file is. */
function removeFile({ name, path }: Entry, openToRead: (name: string) => number): void {
  const fd = openOrNull(() => openToRead(name));
  try {
    unlinkSync(path);
  } catch (error) {
    if (fd !== null) closeSync(fd);
    throw error;
  }
  if (fd !== null) close(fd, () => {});
}

/** Without it the removal only takes longer. */
function openOrNull(open: () => number): number | null {
  try {
    return open();
  } catch {
    return null;
  }
}
