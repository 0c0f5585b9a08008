import { fstatSync, linkSync, unlinkSync } from 'node:fs';
import { isErrno } from '../lib/errors.ts';
import { syncFolder, writeTemporary } from './fresh-file.ts';
import { guard } from './safe-open.ts';
import { walkTo } from './safe-walk.ts';

/**
 * Makes a file that is complete from the moment that it has its name, owned like its folder; the
 * rules of safe-open hold for the path. False when something has that name by now, be it a dangling
 * link; that is left as it is. A crash in between leaves a temporary file, see isTemporaryName().
 * @throws ProcessmasterError `unsafe_path`, else `io` (also where a filesystem has no hard links).
 */
export function createExclusively(path: string, data: string, mode: number): boolean {
  return guard(`cannot create '${path}'`, () =>
    walkTo(path, { createDirectories: false }, ({ folderFd, path: place }) => {
      const { uid, gid } = fstatSync(folderFd);
      const temporary = writeTemporary(folderFd, data, { uid, gid, mode });
      try {
        // Unlike rename(2), link(2) never takes the place of anything.
        linkSync(temporary, place);
      } catch (error) {
        if (isErrno(error, 'EEXIST')) return false;
        throw error;
      } finally {
        unlinkSync(temporary);
      }
      syncFolder(folderFd);
      return true;
    }),
  );
}
