import { dirname, join } from 'node:path';
import { inFolderOf } from '../host/safe-folder.ts';
import { isErrno } from '../lib/errors.ts';
import { type Backup, backupsToRead } from '../logs/backups.ts';

/** One file of a log: a backup, or the file that is written to. */
export interface Segment {
  readonly path: string;
  readonly inode: number;
  /** As it is on the disk, so of a compressed one less than its content. */
  readonly bytes: number;
  /** When its last line was written, also when it is compressed. */
  readonly modifiedAtMs: number;
  /** When the segment before it was last written to; nothing in this one is older. 0: not known. */
  readonly beginsAtMs: number;
  readonly isCompressed: boolean;
  readonly isLive: boolean;
}

type Found = Omit<Segment, 'beginsAtMs'>;

/**
 * The files of the log at `path`, oldest first: its backups and the file itself, as far as they are
 * there and have something in them.
 * @throws ProcessmasterError when the folder is there and cannot (or must not) be looked at
 */
export function listSegments(path: string): readonly Segment[] {
  const found = lookUp(path);
  return found.map((one, at) => ({ ...one, beginsAtMs: found[at - 1]?.modifiedAtMs ?? 0 }));
}

/** A rotation that comes between two looks moves a file to the next number: it is seen twice. */
function distinct(backups: readonly Backup[]): readonly Backup[] {
  const seen = new Set<number>();
  return backups.filter(({ inode }) => !seen.has(inode) && seen.add(inode));
}

function lookUp(path: string): readonly Found[] {
  try {
    return inFolderOf(path, (folder, name) => {
      // The live file first: what is put aside after that look is among the backups then.
      const live = folder.stat(name);
      const backups = distinct(backupsToRead(folder, name)).map(
        ({ name: own, ...backup }): Found => ({
          path: join(dirname(path), own),
          inode: backup.inode,
          bytes: backup.bytes,
          modifiedAtMs: backup.modifiedAtMs,
          isCompressed: backup.isCompressed,
          isLive: false,
        }),
      );
      const isAside = backups.some(({ inode }) => inode === live?.ino);
      const { size: bytes = 0, mtimeMs: modifiedAtMs = 0, ino: inode = 0 } = live ?? {};
      const own: Found = { path, inode, bytes, modifiedAtMs, isCompressed: false, isLive: true };
      return bytes === 0 || isAside ? backups.toReversed() : [...backups.toReversed(), own];
    });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
