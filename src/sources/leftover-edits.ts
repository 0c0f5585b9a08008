import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isTemporaryName } from '../host/fresh-file.ts';

/**
 * Removes what a daemon that was killed in the middle of an edit has left in a folder of definitions
 * and, for `depth` 1, in the folders in it. What cannot be read or removed stays: it does no harm.
 */
export function removeLeftoverEdits(folder: string, depth: 0 | 1): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (depth === 1 && entry.isDirectory()) removeLeftoverEdits(path, 0);
      // unlink(2) follows no link, and nobody else gives a file such a name.
      else if (entry.isFile() && isTemporaryName(entry.name)) unlinkSync(path);
    }
  } catch {
    // The source itself says why its folder cannot be read.
  }
}
