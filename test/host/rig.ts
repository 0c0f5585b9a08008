/** Real folders, cgroups and processes that are gone after the test, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CgroupPath } from '../../src/host/cgroup.ts';
import {
  cgroupAt,
  cgroupState,
  createCgroup,
  killCgroup,
  removeCgroup,
  setFrozen,
} from '../../src/host/cgroup.ts';
import { ProcessmasterError } from '../../src/lib/errors.ts';
import { cgroupMount } from '../e2e/kernel.ts';
import { waitFor } from '../e2e/wait-for.ts';

let made = 0;

/** Uid and gid of the service's user in tests about folders. */
export const NOBODY = 65534;

/** A folder of root's that anyone may enter. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pm-host-'));
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder in `parent` with an owner and a mode, whatever the umask. */
export function folderOf(parent: string, name: string, mode = 0o755): string {
  const path = join(parent, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

/** A folder that the service's user owns, inside one of root's, beside one it must not reach. */
export function userFolder() {
  const root = scratchFolder();
  const home = folderOf(root, 'home');
  chownSync(home, NOBODY, NOBODY);
  const outside = folderOf(root, 'outside');
  return { root, home, outside };
}

/** A file that must not be reached. */
export function victim(folder: string): string {
  const path = join(folder, 'victim');
  writeFileSync(path, 'precious');
  chmodSync(path, 0o600);
  return path;
}

/** A cgroup of the test's own; what is in it is killed, and it is removed. */
export function scratchCgroup(): CgroupPath {
  made += 1;
  const path = cgroupAt(join(cgroupMount(), `pm-host-test-${process.pid}-${made}`));
  createCgroup(path);
  onTestFinished(async () => {
    setFrozen(path, false);
    killCgroup(path);
    await waitFor(() => cgroupState(path) !== 'populated', { what: `${path} to be empty` });
    await waitFor(() => removeCgroup(path), { what: `${path} to be removed` });
  });
  return path;
}

/** Runs a shell script in a cgroup, from its first instruction on. */
export function startIn(cgroup: CgroupPath, script: string): ChildProcess {
  const join = 'echo 0 >"$1" && exec /bin/sh -c "$2"';
  return start('/bin/sh', '-c', join, 'sh', `${cgroup}/cgroup.procs`, script);
}

/** Runs a program until the test ends. */
export function start(file: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** The child's pid; it must have been started. */
export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process was not started');
  return child.pid;
}

export function executable(path: string, text: string, mode = 0o755): string {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** The error that `act` throws; it must be ours. */
export function errorOf(act: () => unknown): ProcessmasterError {
  try {
    act();
  } catch (error) {
    if (error instanceof ProcessmasterError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The error that a promise rejects with; it must be ours. */
export async function rejectionOf(promise: Promise<unknown>): Promise<ProcessmasterError> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (outcome instanceof ProcessmasterError) return outcome;
  throw outcome ?? new Error('it did not reject');
}
