import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../src/lib/errors.ts';
import { numbersIn } from './proc.ts';

const KILL_WAIT_MS = 30_000;

/** Every process in a cgroup and those below it; none when it is gone. */
export function pidsBelow(path: string): readonly number[] {
  return foldersBelow(path).flatMap((folder) => numbersIn(`${folder}/cgroup.procs`));
}

/**
 * CPU time of a cgroup and those below it, processes that ended included, in ms. The kernel counts
 * it to the microsecond, and without the cpu controller too (cgroup-v2.rst, cpu.stat).
 */
export function cpuMs(path: string): number {
  if (!existsSync(path)) return 0;
  const text = readFileSync(`${path}/cpu.stat`, 'utf8');
  return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]) / 1000;
}

export function createCgroup(path: string): void {
  mkdirSync(path);
}

/** Kills everything in a cgroup and below it, waits until it is empty and removes it. */
export async function endCgroup(path: string): Promise<void> {
  try {
    writeFileSync(`${path}/cgroup.kill`, '1');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  const deadlineMs = performance.now() + KILL_WAIT_MS;
  while (isPopulated(path) && performance.now() < deadlineMs) await delay(20);
  for (const folder of foldersBelow(path).reverse()) rmdirSync(folder);
}

const isPopulated = (path: string) =>
  /^populated 1$/m.test(readFileSync(`${path}/cgroup.events`, 'utf8'));

function foldersBelow(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true }).filter((e) => e.isDirectory());
    return [path, ...entries.flatMap((entry) => foldersBelow(`${path}/${entry.name}`))];
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
