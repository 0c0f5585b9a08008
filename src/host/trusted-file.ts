import { fstatSync } from 'node:fs';
import { isErrno, ProcessmasterError } from '../lib/errors.ts';
import { accessOf, closedFolder } from './access.ts';
import type { Identity } from './identity.ts';
import { replaceableIn } from './own-directory.ts';
import { type ReadableFile, readUpTo, withReadable } from './safe-open.ts';

/** A file's content, and whether anybody but root had a hand in it. */
export interface AttributedContent {
  readonly content: Buffer;
  /** It is root's, and nobody else can write to it, replace it or move a folder above it. */
  readonly isRootsOwn: boolean;
}

/** Like readBounded. @throws ProcessmasterError `unsafe_path` or `io` */
export function readAttributed(path: string, maxBytes: number): AttributedContent {
  return withReadable(path, (file) => ({
    isRootsOwn: isRootsOwn(file),
    content: readUpTo(file.fd, maxBytes),
  }));
}

/**
 * Like readBounded, but only what `reader` may read, by owner, group and mode of the file and of every
 * folder above it. Access control lists can take rights away that the mode shows: where only they
 * could have granted it, it is refused.
 * @throws ProcessmasterError `not_permitted`, `unsafe_path` or `io`
 */
export function readAs(reader: Identity, path: string, maxBytes: number): Buffer {
  return withReadable(path, (file) => {
    const closed = closedFolder(file.folder, reader, ['unsure', 'denied']);
    if (closed !== null) throw refusal(reader, `search '${closed}'`);
    if (accessOf(fstatSync(file.fd), reader, 'read') !== 'granted') {
      throw refusal(reader, 'read it');
    }
    return readUpTo(file.fd, maxBytes);
  });
}

function isRootsOwn({ fd, folder }: ReadableFile): boolean {
  const { uid, mode } = fstatSync(fd);
  if (uid !== 0 || (mode & 0o022) !== 0) return false;
  try {
    return replaceableIn(folder) === null;
  } catch (error) {
    // Somebody has just moved it: somebody can.
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function refusal({ userName }: Identity, what: string): ProcessmasterError {
  return new ProcessmasterError('not_permitted', `user '${userName}' may not ${what}`);
}
