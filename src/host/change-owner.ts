import {
  closeSync,
  constants,
  type Dir,
  fstatSync,
  opendirSync,
  openSync,
  readFileSync,
  type Stats,
} from 'node:fs';
import { isErrno, ProcessmasterError } from '../lib/errors.ts';
import { giveTo, holdEntry, isChangeable, type Ownership, refuseForeign } from './held-file.ts';
import { guard } from './safe-open.ts';
import { O_PATH, walkTo } from './safe-walk.ts';
import type { Slice } from './time-slices.ts';

/** What became of a tree so far; grows while it is gone through. */
export interface OwnerChanges {
  /** Files and folders that had another owner or group. */
  changed: number;
  /** Links, devices and what is mounted there: left as they are. */
  leftAlone: number;
}

/** Each level takes two descriptors. */
const MAX_DEPTH = 100;
const NAMES_READ_AT_ONCE = 256;

/**
 * Changes owner and group of a file or folder, under the rules of safe-open.
 * @throws ProcessmasterError `unsafe_path` for a link that others than root control, a device or a
 *   file with several names, else `io`.
 */
export function changeOwner(path: string, ownership: Ownership, changes: OwnerChanges): void {
  guard(`cannot change the owner of '${path}'`, () =>
    walkTo(path, { createDirectories: false }, (entry) => {
      const fd = holdEntry(entry);
      try {
        const folder = fstatSync(entry.folderFd);
        if (give(fd, ownership, folder)) changes.changed += 1;
      } finally {
        closeSync(fd);
      }
    }),
  );
}

/**
 * The same for a folder and all that is below it, in slices. Links are neither followed nor changed,
 * nothing that is mounted below is entered, devices are left alone. A folder is given away after
 * what it holds: until then its new owner puts nothing into it.
 * @throws ProcessmasterError as {@link changeOwner}; `changes` says what was done by then.
 */
export async function changeOwnerBelow(
  path: string,
  ownership: Ownership,
  changes: OwnerChanges,
  slice: Slice,
): Promise<void> {
  const { fd, isFolder } = guard(`cannot change the owner of '${path}'`, () => holdPath(path));
  try {
    if (!isFolder) return changeOwner(path, ownership, changes);
    const tree = { path, ownership, changes, slice, mountId: mountIdOf(fd) };
    await changeFolder(tree, fd, path, 0);
  } finally {
    closeSync(fd);
  }
}

interface Tree {
  readonly path: string;
  readonly ownership: Ownership;
  readonly changes: OwnerChanges;
  readonly slice: Slice;
  readonly mountId: string;
}

function holdPath(path: string): { readonly fd: number; readonly isFolder: boolean } {
  return walkTo(path, { createDirectories: false }, (entry) => {
    const fd = holdEntry(entry);
    return { fd, isFolder: fstatSync(fd).isDirectory() };
  });
}

/** `path` is for messages alone. */
async function changeFolder(tree: Tree, fd: number, path: string, depth: number): Promise<void> {
  if (depth > MAX_DEPTH) {
    throw new ProcessmasterError(
      'io',
      `'${path}' is deeper than ${MAX_DEPTH} folders below '${tree.path}'`,
    );
  }
  const folder = fstatSync(fd);
  const entries = guard(`cannot list '${path}'`, () => list(fd));
  try {
    for (let name = nextName(entries); name !== null; name = nextName(entries)) {
      if (tree.slice.isOver) await tree.slice.next();
      const childPath = `${path}/${name.toString()}`;
      const child = guard(`cannot look at '${childPath}'`, () => holdChild(fd, name));
      if (child === null) continue;
      try {
        if (guard(`cannot look at '${childPath}'`, () => isSubfolder(tree, child))) {
          await changeFolder(tree, child, childPath, depth + 1);
        } else {
          change(tree, child, childPath, folder);
        }
      } finally {
        closeSync(child);
      }
    }
  } finally {
    entries.closeSync();
  }
  change(tree, fd, path, folder);
}

/** As bytes: a name need not be text. */
function list(fd: number): Dir {
  return opendirSync(`/proc/self/fd/${fd}`, {
    encoding: 'latin1',
    bufferSize: NAMES_READ_AT_ONCE,
  });
}

function nextName(entries: Dir): Buffer | null {
  const entry = entries.readSync();
  return entry === null ? null : Buffer.from(entry.name, 'latin1');
}

/** Null when it is gone meanwhile. */
function holdChild(folderFd: number, name: Buffer): number | null {
  try {
    const path = Buffer.concat([Buffer.from(`/proc/self/fd/${folderFd}/`), name]);
    return openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

/** What is mounted is not even looked at: a user's file system in user space may never answer. */
function isSubfolder(tree: Tree, fd: number): boolean {
  return mountIdOf(fd) === tree.mountId && fstatSync(fd).isDirectory();
}

function change(tree: Tree, fd: number, path: string, folder: Stats): void {
  guard(`cannot change the owner of '${path}'`, () => {
    if (mountIdOf(fd) !== tree.mountId || !isChangeable(fstatSync(fd))) {
      tree.changes.leftAlone += 1;
    } else if (give(fd, tree.ownership, folder)) {
      tree.changes.changed += 1;
    }
  });
}

/** False when it is theirs already, whatever names it has. */
function give(fd: number, ownership: Ownership, folder: Stats): boolean {
  const file = fstatSync(fd);
  const isTheirs =
    (ownership.uid ?? file.uid) === file.uid && (ownership.gid ?? file.gid) === file.gid;
  if (isTheirs) return false;
  refuseForeign(file, folder);
  return giveTo(fd, file, ownership);
}

/** Which mount a descriptor leads into, see proc_pid_fdinfo(5); asks no file system anything. */
function mountIdOf(fd: number): string {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
  if (id === undefined) {
    throw new ProcessmasterError('io', 'cannot tell which mount it is in');
  }
  return id;
}
