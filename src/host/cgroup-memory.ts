import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupPath } from './cgroup.ts';

/** What `memory.events` counts of a cgroup and all below it, since it was made. */
export interface MemoryEvents {
  /** Processes that were killed because memory ran out. */
  readonly oomKills: number;
}

/** `null` without the memory controller. Does not throw: what cannot be read is not known. */
export function readMemoryEvents(path: CgroupPath): MemoryEvents | null {
  const kills = /^oom_kill (\d+)$/m.exec(read(path, 'memory.events') ?? '')?.[1];
  return kills === undefined ? null : { oomKills: Number(kills) };
}

/** Bytes; `null` where there is none, or no memory controller. */
export function readMemoryLimit(path: CgroupPath): number | null {
  const limit = read(path, 'memory.max')?.trim();
  return limit === undefined || limit === 'max' ? null : Number(limit);
}

/** Bytes; `null` where the kernel does not count it. */
export function readMemoryPeak(path: CgroupPath): number | null {
  const peak = /^\d+$/m.exec(read(path, 'memory.peak') ?? '')?.[0];
  return peak === undefined ? null : Number(peak);
}

function read(path: CgroupPath, file: string): string | undefined {
  try {
    return readFileSync(join(path, file), 'utf8');
  } catch {
    return undefined;
  }
}
