import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Wall time of the last change of a file that lies directly in a folder (ctime; 0 without any). What
 * comes and goes changes the folder itself, and what is in the folders below is not looked at.
 */
export function topLevelChangedAtMs(folder: string): number {
  const times = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => lstatSync(join(folder, name), { throwIfNoEntry: false })?.ctimeMs ?? 0);
  // Whole milliseconds, as the clock that it is compared with has them.
  return times.reduce((latest, time) => Math.max(latest, Math.floor(time)), 0);
}
