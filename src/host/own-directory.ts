import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { isRootOnlyFolder } from './safe-walk.ts';

const STICKY = 0o1000;

/**
 * Makes sure of a folder that holds what the daemon believes without asking: it is made (with
 * `mode`) where it is missing, and nobody but root may put something into it or something else in
 * its place.
 * @throws ProcessmasterError `unsafe_path` when others may, `io` when it cannot be made.
 */
export function ownDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
  } catch (cause) {
    throw new ProcessmasterError('io', `cannot make the folder '${path}': ${messageOf(cause)}`, {
      cause,
    });
  }
  const real = realpathSync(path);
  if (!isRootOnlyFolder(lstatSync(real)))
    throw unsafe(path, `others than root may write to '${real}'`);
  for (let parent = dirname(real); ; parent = dirname(parent)) {
    // In a sticky folder only the owner of an entry may rename it (inode(7)).
    const stats = lstatSync(parent);
    const isSticky = stats.uid === 0 && (stats.mode & STICKY) !== 0;
    if (!isSticky && !isRootOnlyFolder(stats)) {
      throw unsafe(path, `others than root may write to '${parent}', and so replace it`);
    }
    if (parent === '/') return;
  }
}

function unsafe(path: string, why: string): ProcessmasterError {
  const message = `cannot use the folder '${path}': ${why} (choose another, or chown it to root with mode 0755)`;
  return new ProcessmasterError('unsafe_path', message);
}
