import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
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
  refuseWritable(path, real);
  refuseReplaceable(path, dirname(real));
}

/**
 * The same judgement of a folder as it is, without making it: one that is missing would have to be
 * made in a folder that nobody else may change.
 * @throws ProcessmasterError `unsafe_path`
 */
export function judgeDirectory(path: string): void {
  const isThere = existsSync(path);
  const real = realpathSync(nearestThere(path));
  if (isThere) refuseWritable(path, real);
  refuseReplaceable(path, isThere ? dirname(real) : real);
}

function nearestThere(path: string): string {
  return existsSync(path) ? path : nearestThere(dirname(path));
}

function refuseWritable(path: string, real: string): void {
  if (isRootOnlyFolder(lstatSync(real))) return;
  throw unsafe(path, `others than root may write to '${real}'`);
}

/** Whoever may write to a folder above can put another in its place. */
function refuseReplaceable(path: string, nearest: string): void {
  const open = replaceableIn(nearest);
  if (open === null) return;
  throw unsafe(path, `others than root may write to '${open}', and so replace it`);
}

/** The first folder, from this one (a real path) up, whose entries others than root may replace. */
export function replaceableIn(nearest: string): string | null {
  for (let parent = nearest; ; parent = dirname(parent)) {
    // In a sticky folder only the owner of an entry may rename it (inode(7)).
    const stats = lstatSync(parent);
    const isSticky = stats.uid === 0 && (stats.mode & STICKY) !== 0;
    if (!isSticky && !isRootOnlyFolder(stats)) return parent;
    if (parent === '/') return null;
  }
}

function unsafe(path: string, why: string): ProcessmasterError {
  const message = `cannot use the folder '${path}': ${why} (choose another, or chown it to root with mode 0755)`;
  return new ProcessmasterError('unsafe_path', message);
}
