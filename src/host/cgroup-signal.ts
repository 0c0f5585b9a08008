import { setTimeout as wait } from 'node:timers/promises';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { type CgroupPath, cgroupState, isFrozen, readPids, setFrozen } from './cgroup.ts';

export interface CgroupSignalled {
  /** The processes that got the signal. */
  readonly signalled: number[];
  /** False: not all of them would freeze in time, so one that was forked meanwhile may have missed it. */
  readonly frozen: boolean;
}

/** A process in uninterruptible sleep does not freeze before it wakes. */
const FREEZE_TIMEOUT_MS = 200;
const LOOK_EVERY_MS = 1;
/** Those that are about stopping and continuing; any other wakes whom it is meant for. */
const JOB_CONTROL = new Set(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCONT']);

/**
 * Sends a signal to every process in a cgroup and below it, while they are frozen: a frozen process
 * neither forks nor ends, so none is missed and no pid has become someone else's. Stopped and
 * frozen processes are woken. An empty or absent cgroup gets nothing.
 * @throws ProcessmasterError `io`; the cgroup is thawed all the same.
 */
export async function signalCgroup(
  path: CgroupPath,
  signal: NodeJS.Signals,
): Promise<CgroupSignalled> {
  if (cgroupState(path) !== 'populated') return { signalled: [], frozen: false };
  try {
    const frozen = await freeze(path);
    const signalled = readPids(path).filter((pid) => sendSignal(pid, signal));
    return { signalled, frozen };
  } finally {
    setFrozen(path, false);
  }
}

/** Looks instead of watching: it takes 1 to 10 ms, and works when there are no watches left. */
async function freeze(path: CgroupPath): Promise<boolean> {
  const giveUpAtMs = performance.now() + FREEZE_TIMEOUT_MS;
  const flagIsTrue = await clearStaleFlag(path, giveUpAtMs);
  setFrozen(path, true);
  while (!flagIsTrue || !isFrozen(path)) {
    if (performance.now() >= giveUpAtMs) return false;
    await wait(LOOK_EVERY_MS);
  }
  return true;
}

/**
 * Linux (seen with 6.18) can leave `frozen 1` behind for good where processes of nested cgroups end
 * as they are thawed. Freezing and thawing once more makes it right.
 */
async function clearStaleFlag(path: CgroupPath, giveUpAtMs: number): Promise<boolean> {
  while (isFrozen(path)) {
    if (performance.now() >= giveUpAtMs) return false;
    for (const frozen of [true, false]) {
      setFrozen(path, frozen);
      await wait(LOOK_EVERY_MS);
    }
  }
  return true;
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    if (!JOB_CONTROL.has(signal)) process.kill(pid, 'SIGCONT');
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    const message = `cannot send ${signal} to process ${pid}: ${messageOf(error)}`;
    throw new ProcessmasterError('io', message, { cause: error });
  }
}
