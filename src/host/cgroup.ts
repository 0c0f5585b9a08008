import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describeErrno, errnoOf, isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';

declare const brand: unique symbol;

/** The absolute path of a cgroup v2; made only by {@link cgroupAt}. */
export type CgroupPath = string & { readonly [brand]: 'CgroupPath' };

export type CgroupState = 'absent' | 'empty' | 'populated';

/** A controller that cannot be used, and why in words. */
export interface RefusedController {
  readonly controller: string;
  readonly reason: string;
}

// The kernel files and what they mean: Documentation/admin-guide/cgroup-v2.rst. Everything here
// throws ProcessmasterError `io` when the kernel says something unexpected: what could not be read
// is unknown, never empty.

/** @throws ProcessmasterError `invalid_argument` unless the path is absolute and normalised. */
export function cgroupAt(path: string): CgroupPath {
  if (!isAbsolute(path) || normalize(path) !== path || path.endsWith('/')) {
    throw new ProcessmasterError('invalid_argument', `cannot use '${path}' as a cgroup's path`);
  }
  return path as CgroupPath;
}

/** Makes a cgroup in an existing one; already there is success. Whether it was not there. */
export function createCgroup(path: CgroupPath): boolean {
  try {
    mkdirSync(path, 0o755);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw failure(`cannot create cgroup '${path}'`, error);
  }
}

/** Whether there is a process in the cgroup or below it. */
export function isPopulated(path: CgroupPath): boolean {
  return cgroupState(path) === 'populated';
}

/** What cgroup.events says of the cgroup and everything below it. */
export function cgroupState(path: CgroupPath): CgroupState {
  const events = readIfThere(path, 'cgroup.events');
  if (events === null) return 'absent';
  return flagOf(events, 'populated', path) ? 'populated' : 'empty';
}

/** The processes in the cgroup and below it, in no order. */
export function readPids(path: CgroupPath): number[] {
  const pids = new Set<number>();
  for (const cgroup of subtreeOf(path)) {
    for (const line of readProcs(cgroup).split('\n')) {
      // A process of another pid namespace shows as 0.
      if (line !== '' && line !== '0') pids.add(Number(line));
    }
  }
  return [...pids];
}

/**
 * Whether exactly these processes are in the cgroup itself. One read, for those who ask about many
 * cgroups: a process below it came from one in it, which would be missed here.
 */
export function holdsJust(path: CgroupPath, pids: readonly number[]): boolean {
  const listed = readProcs(path)
    .split('\n')
    .filter((line) => line !== '');
  return listed.length === pids.length && listed.every((line) => pids.includes(Number(line)));
}

/** SIGKILL for every process in the cgroup and below it, race-free against fork. */
export function killCgroup(path: CgroupPath): void {
  try {
    writeKernelFile(`${path}/cgroup.kill`, '1');
  } catch (error) {
    if (cgroupState(path) === 'absent') return;
    const hint = isErrno(error, 'ENOENT') ? ' (cgroup.kill needs Linux 5.14)' : '';
    throw failure(`cannot kill cgroup '${path}'`, error, hint);
  }
}

/** Removes an empty cgroup with everything below it. False: something lives (or was made) in it. */
export function removeCgroup(path: CgroupPath): boolean {
  for (const cgroup of subtreeOf(path).reverse()) {
    try {
      rmdirSync(cgroup);
    } catch (error) {
      if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
      if (!isGone(error)) throw failure(`cannot remove cgroup '${cgroup}'`, error);
    }
  }
  return true;
}

/** How often a cgroup that is about to be empty is looked at. */
const POLL_MS = 5;

/** Removes a cgroup whose processes are on their way out. False: something is in it all the same. */
export async function removeCgroupWithin(path: CgroupPath, deadlineMs: number): Promise<boolean> {
  const endsAtMs = performance.now() + deadlineMs;
  while (!removeCgroup(path)) {
    if (performance.now() >= endsAtMs) return false;
    await delay(POLL_MS);
  }
  return true;
}

/**
 * Freezes the cgroup or lets it run on; absent is success. Freezing takes a moment, see
 * {@link isFrozen}. Letting run also undoes what the service froze itself, below.
 */
export function setFrozen(path: CgroupPath, frozen: boolean): void {
  for (const cgroup of frozen ? [path] : subtreeOf(path)) {
    try {
      writeKernelFile(`${cgroup}/cgroup.freeze`, frozen ? '1' : '0');
    } catch (error) {
      if (isGone(error) && readIfThere(cgroup, 'cgroup.events') === null) continue;
      throw failure(`cannot ${frozen ? 'freeze' : 'thaw'} cgroup '${cgroup}'`, error);
    }
  }
}

/** Whether every process in the cgroup and below it is frozen by now. */
export function isFrozen(path: CgroupPath): boolean {
  const events = readIfThere(path, 'cgroup.events');
  return events !== null && flagOf(events, 'frozen', path);
}

/** Writes one control file, e.g. `memory.max`. */
export function writeControl(path: CgroupPath, file: string, value: string): void {
  try {
    writeKernelFile(`${path}/${file}`, value);
  } catch (error) {
    throw failure(`cannot write '${value}' to '${path}/${file}'`, error);
  }
}

/** The controllers that this cgroup may enable for its children. */
export function availableControllers(path: CgroupPath): readonly string[] {
  return wordsOf(path, 'cgroup.controllers');
}

/** The controllers that this cgroup's children have. */
export function enabledControllers(path: CgroupPath): readonly string[] {
  return wordsOf(path, 'cgroup.subtree_control');
}

/** Enables controllers for the children, each on its own: one that is refused costs no other. */
export function enableControllers(
  path: CgroupPath,
  wanted: readonly string[],
): readonly RefusedController[] {
  const enabled = enabledControllers(path);
  return wanted
    .filter((controller) => !enabled.includes(controller))
    .flatMap((controller) => {
      try {
        writeKernelFile(`${path}/cgroup.subtree_control`, `+${controller}`);
        return [];
      } catch (error) {
        const errno = errnoOf(error);
        const why = errno === undefined ? messageOf(error) : describeErrno(errno);
        return [{ controller, reason: `'${path}/cgroup.subtree_control' refuses it: ${why}` }];
      }
    });
}

/** Takes every controller from the children of the cgroup and of all below it; their limits end. */
export function disableControllersWithin(path: CgroupPath): void {
  for (const cgroup of subtreeOf(path).reverse().map(cgroupAt)) {
    for (const controller of enabledControllers(cgroup)) {
      writeControl(cgroup, 'cgroup.subtree_control', `-${controller}`);
    }
  }
}

/**
 * The cgroup and all below it, parents first, as far as they are there; iterative, for a service may
 * nest them deeply.
 */
function subtreeOf(path: CgroupPath): string[] {
  const found: string[] = [];
  const left: string[] = [path];
  for (let at = 0; at < left.length; at += 1) {
    const cgroup = left[at] ?? path;
    const children = childrenOf(cgroup);
    if (children === null) continue;
    found.push(cgroup);
    for (const child of children) left.push(`${cgroup}/${child}`);
  }
  return found;
}

/** `null` when it is not there: for most jobs most of the time, so nothing is thrown for that. */
function childrenOf(cgroup: string): readonly string[] | null {
  try {
    // kernfs counts a folder's links as 2 + children, which spares listing 30 files for most.
    const links = statSync(cgroup, { throwIfNoEntry: false })?.nlink;
    if (links === undefined) return null;
    if (links === 2) return [];
    const entries = readdirSync(cgroup, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isGone(error)) return null;
    throw failure(`cannot list cgroup '${cgroup}'`, error);
  }
}

function readProcs(cgroup: string): string {
  try {
    return readIfThere(cgroup, 'cgroup.procs') ?? '';
  } catch (error) {
    // A threaded cgroup: its processes are listed in the one above, which is its domain.
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP')) return '';
    throw error;
  }
}

function readIfThere(cgroup: string, file: string): string | null {
  try {
    return readFileSync(`${cgroup}/${file}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return null;
    throw failure(`cannot read '${cgroup}/${file}'`, error);
  }
}

/** ENODEV is what an open file of a cgroup gives that was removed meanwhile. */
function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ENODEV');
}

function flagOf(events: string, key: string, path: string): boolean {
  const value = new RegExp(`^${key} ([01])$`, 'm').exec(events)?.[1];
  if (value !== undefined) return value === '1';
  throw new ProcessmasterError('io', `cannot read '${path}/cgroup.events': it has no '${key}'`);
}

function wordsOf(path: CgroupPath, file: string): readonly string[] {
  return (readIfThere(path, file) ?? '').split(/\s+/).filter((word) => word !== '');
}

/** Without O_CREAT, and in one write(2): the kernel takes each as a command. */
function writeKernelFile(file: string, value: string): void {
  const fd = openSync(file, constants.O_WRONLY);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

function failure(cannot: string, cause: unknown, hint = ''): ProcessmasterError {
  return new ProcessmasterError('io', `${cannot}: ${messageOf(cause)}${hint}`, { cause });
}
