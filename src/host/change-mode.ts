import { closeSync, fstatSync } from 'node:fs';
import { holdEntry, refuseForeign, setMode } from './held-file.ts';
import { guard } from './safe-open.ts';
import { walkTo } from './safe-walk.ts';

/**
 * Sets the mode of a file or folder, under the rules of safe-open.
 * @throws ProcessmasterError `unsafe_path` for a link that others than root control, a device or a
 *   file with several names, else `io`.
 */
export function changeMode(path: string, mode: number): void {
  guard(`cannot change the mode of '${path}'`, () =>
    walkTo(path, { createDirectories: false }, (entry) => {
      const fd = holdEntry(entry);
      try {
        refuseForeign(fstatSync(fd), fstatSync(entry.folderFd));
        setMode(fd, mode);
      } finally {
        closeSync(fd);
      }
    }),
  );
}
