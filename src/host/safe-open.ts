import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { type Entry, isRootOnlyFolder, O_PATH, walkTo } from './safe-walk.ts';

export interface AppendOptions {
  /** Of a file that is created, whatever the umask. */
  readonly mode: number;
  /** Missing folders are made, 0755 and owned like the folder that they are made in. */
  readonly createDirectories: boolean;
}

type EntryKind = 'file' | 'directory' | 'link' | 'other';

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: EntryKind;
}

/** Somebody may take the file away as often as it is created. */
const MAX_ATTEMPTS = 10;
const READ_BLOCK_BYTES = 64 * 1024;

/**
 * Opens a regular file for appending, created if it is not there, as root and in a folder that may
 * be anyone's: no link that others than root control is followed, no device or FIFO is opened, no
 * file that has another name is written to. The caller closes the descriptor.
 * @throws ProcessmasterError `unsafe_path` for one of those, else `io`.
 */
export function openForAppend(path: string, options: AppendOptions): number {
  return guard(`cannot open '${path}' for appending`, () =>
    walkTo(path, options, (entry) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return openExisting(entry, constants.O_WRONLY | constants.O_APPEND, refuseOtherNames);
        } catch (error) {
          if (!isErrno(error, 'ENOENT') || attempt > MAX_ATTEMPTS) throw error;
        }
        const created = createNew(entry, options.mode);
        if (created !== null) return created;
      }
    }),
  );
}

/**
 * Opens a regular file for reading under the rules of {@link openForAppend}; never blocks. A file
 * with several names is read only where nobody but root can put one.
 * @throws ProcessmasterError `unsafe_path` or `io`.
 */
export function openForRead(path: string): number {
  return guard(`cannot read '${path}'`, () =>
    walkTo(path, { createDirectories: false }, openEntry),
  );
}

/**
 * The content of a regular file of at most `maxBytes`, see {@link openForRead}. Bounded by what was
 * read, not by the size that the file claims to have.
 * @throws ProcessmasterError `unsafe_path` or `io`; `io`, too, when there is more.
 */
export function readBounded(path: string, maxBytes: number): Buffer {
  return withReadable(path, ({ fd }) => readUpTo(fd, maxBytes));
}

/** A regular file that is open for reading. */
export interface ReadableFile {
  readonly fd: number;
  /** The folder that it was found in, links followed. */
  readonly folder: string;
}

/**
 * Opens a file like {@link openForRead}, for as long as `act` takes.
 * @throws ProcessmasterError `unsafe_path` or `io`; of what `act` throws, its code.
 */
export function withReadable<T>(path: string, act: (file: ReadableFile) => T): T {
  return guard(`cannot read '${path}'`, () =>
    walkTo(path, { createDirectories: false }, (entry) => {
      const fd = openEntry(entry);
      try {
        return act({ fd, folder: readlinkSync(`/proc/self/fd/${entry.folderFd}`) });
      } finally {
        closeSync(fd);
      }
    }),
  );
}

/**
 * What is at `path`, be it a link that may not be followed; null when nothing is there.
 * @throws ProcessmasterError `unsafe_path` or `io`.
 */
export function statNoFollow(path: string): Stats | null {
  return guard(`cannot look at '${path}'`, () => {
    try {
      return walkTo(path, { createDirectories: false }, (entry) => lstatSync(entry.path));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null;
      throw error;
    }
  });
}

/**
 * The entries of a folder, in no order.
 * @throws ProcessmasterError `unsafe_path` or `io`.
 */
export function readDirectory(path: string): readonly DirectoryEntry[] {
  return guard(`cannot list '${path}'`, () =>
    walkTo(path, { createDirectories: false }, (entry) => {
      const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
      const fd = openSync(entry.path, flags);
      try {
        const found = readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true });
        return found.map((one) => ({ name: one.name, kind: kindOf(one) }));
      } finally {
        closeSync(fd);
      }
    }),
  );
}

/** Gives every error of `act` its code, and says what could not be done. */
export function guard<T>(cannot: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = error instanceof ProcessmasterError ? error.code : 'io';
    throw new ProcessmasterError(code, `${cannot}: ${messageOf(error)}`, { cause: error });
  }
}

function openEntry(entry: Entry): number {
  return openExisting(entry, constants.O_RDONLY, (file) => {
    if (!isRootOnlyFolder(fstatSync(entry.folderFd))) refuseOtherNames(file);
  });
}

/**
 * Looks before it opens: an O_PATH descriptor holds on to the very file without opening it (which
 * can do things, on devices), and its magic link in /proc opens that one and no other.
 */
export function openExisting(entry: Entry, flags: number, check: (file: Stats) => void): number {
  const handle = openSync(entry.path, O_PATH | constants.O_NOFOLLOW);
  try {
    const file = fstatSync(handle);
    // With O_PATH a link is opened itself; this is the error that it gives without.
    if (file.isSymbolicLink()) throw Object.assign(new Error('a link'), { code: 'ELOOP' });
    if (!file.isFile()) throw new ProcessmasterError('unsafe_path', `it is no regular file`);
    check(file);
    return openSync(`/proc/self/fd/${handle}`, flags | constants.O_NONBLOCK);
  } finally {
    closeSync(handle);
  }
}

/** A check for {@link openExisting}: with a second name, the file could be one of anybody's. */
export function refuseOtherNames(file: Stats): void {
  if (file.nlink === 1) return;
  throw new ProcessmasterError(
    'unsafe_path',
    `the file has ${file.nlink} names, so it could be anyone's (remove the other hard links)`,
  );
}

/** Null when something is there by now. Nobody else can open it before it has its mode. */
function createNew(entry: Entry, mode: number): number | null {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK;
  let fd: number;
  try {
    fd = openSync(entry.path, flags, 0o600);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return null;
    throw error;
  }
  try {
    fchmodSync(fd, mode);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** All that is left to read, unless it is more than `maxBytes`. @throws ProcessmasterError `io` */
export function readUpTo(fd: number, maxBytes: number): Buffer {
  const blocks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const block = Buffer.allocUnsafe(Math.min(READ_BLOCK_BYTES, maxBytes + 1 - length));
    const count = readSync(fd, block);
    if (count === 0) return Buffer.concat(blocks, length);
    length += count;
    if (length > maxBytes) {
      throw new ProcessmasterError('io', `it is larger than ${maxBytes} bytes, which is the limit`);
    }
    blocks.push(block.subarray(0, count));
  }
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }) {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
