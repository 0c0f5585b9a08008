import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { bootId, readProcess } from './process-info.ts';

export interface InstanceLock {
  /** Gives the lock up; again is success. */
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly startTicks: number;
  readonly boot: string;
}

/**
 * Makes this process the only one that holds `path`, a file in a folder of root's, until it releases
 * it or ends: a holder that no longer runs (its pid may be someone else's by now) holds nothing.
 * @throws ProcessmasterError `conflict` naming the pid that holds it, else `io`.
 */
export function acquireInstanceLock(path: string): InstanceLock {
  const own = textOf(self());
  try {
    take(path, own);
  } catch (error) {
    if (error instanceof ProcessmasterError) throw error;
    throw new ProcessmasterError('io', `cannot lock '${path}': ${messageOf(error)}`, {
      cause: error,
    });
  }
  return {
    release: () => {
      if (read(path) === own) rmSync(path, { force: true });
    },
  };
}

/**
 * Two that find the same dead holder must not both replace it: the right to do so is a lock in turn,
 * named after that holder. Whoever gets it looks again, for it may have been used by then.
 */
function take(path: string, own: string): void {
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, own, { mode: 0o600 });
  try {
    while (!linkIfAbsent(fresh, path)) {
      const found = read(path);
      if (found === null) continue;
      refuseIfAlive(path, found);
      const right = `${path}.${found.replace(/[^0-9a-f]+/g, '-').slice(0, 100)}`;
      take(right, own);
      try {
        if (read(path) === found) {
          renameSync(fresh, path);
          return;
        }
      } finally {
        rmSync(right, { force: true });
      }
    }
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** link(2) is exclusive like O_EXCL, and the file is complete from the first moment. */
function linkIfAbsent(fresh: string, path: string): boolean {
  try {
    linkSync(fresh, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function refuseIfAlive(path: string, found: string): void {
  const holder = parse(found);
  if (holder === null || holder.boot !== bootId()) return;
  const alive = readProcess(holder.pid);
  if (alive === null || alive.startTicks !== holder.startTicks) return;
  if (alive.state === 'Z' || alive.state === 'X') return;
  throw new ProcessmasterError(
    'conflict',
    `cannot lock '${path}': process ${holder.pid} holds it (stop that daemon, or give this one another cgroup.name)`,
  );
}

function self(): Holder {
  const startTicks = readProcess(process.pid)?.startTicks ?? 0;
  return { pid: process.pid, startTicks, boot: bootId() };
}

function textOf(holder: Holder): string {
  return `${holder.pid} ${holder.startTicks} ${holder.boot}\n`;
}

/** Null for what this program did not write, or not to the end. */
function parse(text: string): Holder | null {
  const [, pid, startTicks, boot] = /^(\d+) (\d+) ([0-9a-f-]+)\n$/.exec(text) ?? [];
  if (pid === undefined || startTicks === undefined || boot === undefined) return null;
  return { pid: Number(pid), startTicks: Number(startTicks), boot };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}
