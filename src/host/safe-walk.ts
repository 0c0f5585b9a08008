import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { isErrno, ProcessmasterError } from '../lib/errors.ts';

/** open(2), the generic value; Node does not name it. */
export const O_PATH = 0o10000000;

/** An entry of an open folder; reaching it follows nothing that came before. */
export interface Entry {
  /** Descriptor of the folder, valid only inside the callback of {@link walkTo}. */
  readonly folderFd: number;
  readonly name: string;
  /** `/proc/self/fd/<folderFd>/<name>`, see proc(5). */
  readonly path: string;
}

interface WalkOptions {
  /** Missing folders on the way are made, 0755 and owned like the folder that they are made in. */
  readonly createDirectories: boolean;
}

/** path_resolution(7): as many links as the kernel itself follows. */
const MAX_LINKS = 40;
/** The kernel stamps files with its last tick, which is a little in the past. */
const TICK_MS = 20;

/**
 * Walks from `/` to the folder of `path`, one component at a time and each without following links,
 * and gives the last component to `act`. A link (also the last component, when `act` fails on it
 * with ELOOP or ENOTDIR) is followed only where nobody but root could have put it.
 * @throws ProcessmasterError `unsafe_path` at a link that others could have put there; else what
 *   the system call or `act` threw.
 */
export function walkTo<T>(path: string, options: WalkOptions, act: (entry: Entry) => T): T {
  if (!path.startsWith('/')) throw new ProcessmasterError('invalid_argument', 'it is not absolute');
  const ahead = namesOf(path).reverse();
  let folder = openFolder('/');
  let links = 0;
  try {
    for (;;) {
      const entry = entryOf(folder, ahead.pop() ?? '.');
      try {
        if (ahead.length === 0) return act(entry);
        const next = enter(entry, options);
        closeSync(folder);
        folder = next;
      } catch (error) {
        if (!isErrno(error, 'ELOOP', 'ENOTDIR')) throw error;
        const target = trustedTarget(entry, path);
        links += 1;
        if (target === null || links > MAX_LINKS) throw error;
        ahead.push(...namesOf(target).reverse());
        if (target.startsWith('/')) {
          closeSync(folder);
          folder = openFolder('/');
        }
      }
    }
  } finally {
    closeSync(folder);
  }
}

/** Whether nobody but root can put something into this folder. */
export function isRootOnlyFolder(folder: Stats): boolean {
  return isFolderOf(folder, 0);
}

/** Whether nobody but the user of that uid (and root) can put something into this folder. */
export function isFolderOf(folder: Stats, uid: number): boolean {
  const groupMayWrite = (folder.mode & 0o020) !== 0 && folder.gid !== 0;
  return folder.uid === uid && !groupMayWrite && (folder.mode & 0o002) === 0;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function entryOf(folderFd: number, name: string): Entry {
  return { folderFd, name, path: `/proc/self/fd/${folderFd}/${name}` };
}

function openFolder(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

function enter(entry: Entry, options: WalkOptions): number {
  try {
    return openFolder(entry.path);
  } catch (error) {
    if (!options.createDirectories || !isErrno(error, 'ENOENT')) throw error;
    return makeFolder(entry);
  }
}

function makeFolder(entry: Entry): number {
  const madeAtMs = Date.now();
  try {
    mkdirSync(entry.path, 0o755);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
  const fd = openFolder(entry.path);
  try {
    adopt(fd, fstatSync(entry.folderFd), madeAtMs);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Gives a new folder the owner of the one it is in. That owner could have moved another folder of
 * root's to its name meanwhile, so one that was not born just now is left as it is.
 */
function adopt(fd: number, parent: Stats, madeAtMs: number): void {
  const made = fstatSync(fd);
  if (made.uid !== 0 || made.birthtimeMs < madeAtMs - TICK_MS) return;
  // The magic link of proc(5) leads to the folder itself; fchown(2) refuses O_PATH descriptors.
  chmodSync(`/proc/self/fd/${fd}`, 0o755);
  chownSync(`/proc/self/fd/${fd}`, parent.uid, parent.gid);
}

/** What a link says that only root could have put there; null when it is neither link nor folder. */
function trustedTarget(entry: Entry, path: string): string | null {
  const link = lstatSync(entry.path, { throwIfNoEntry: false });
  // Somebody is swapping it; as a folder, it is walked into.
  if (link?.isDirectory() === true) return entry.name;
  if (link?.isSymbolicLink() !== true) return null;
  if (link.uid !== 0 || !isRootOnlyFolder(fstatSync(entry.folderFd))) {
    throw new ProcessmasterError(
      'unsafe_path',
      `'${entry.name}' in '${path}' is a symbolic link that others than root can change (name the real path, or let root own the link and its folder)`,
    );
  }
  return readlinkSync(entry.path);
}
