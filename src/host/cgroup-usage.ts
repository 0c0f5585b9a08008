import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupPath } from './cgroup.ts';

/** What everything in a cgroup and below it has used so far; `null` where the kernel does not say. */
export interface CgroupUsage {
  readonly cpuMs: number | null;
  readonly peakMemoryBytes: number | null;
}

/** Does not throw: a file that is not there is a controller that is not, and that is `null`, never 0. */
export function readUsage(path: CgroupPath): CgroupUsage {
  const micros = /^usage_usec (\d+)$/m.exec(readIfPossible(path, 'cpu.stat') ?? '')?.[1];
  const peak = /^\d+$/m.exec(readIfPossible(path, 'memory.peak') ?? '')?.[0];
  return {
    cpuMs: micros === undefined ? null : Math.round(Number(micros) / 1_000),
    peakMemoryBytes: peak === undefined ? null : Number(peak),
  };
}

function readIfPossible(path: CgroupPath, file: string): string | null {
  try {
    return readFileSync(join(path, file), 'utf8');
  } catch {
    return null;
  }
}
