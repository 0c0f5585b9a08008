import { readdirSync, readFileSync } from 'node:fs';
import { isErrno } from '../src/lib/errors.ts';

export interface Memory {
  /** Pages that are this process's alone, in KiB (proc_pid_smaps_rollup in proc(5)). */
  readonly privateDirtyKib: number;
  readonly rssKib: number;
}

/** The pids of a process's children; none when it is gone. */
export function childrenOf(pid: number): readonly number[] {
  const tasks = orNothing(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return tasks.flatMap((task) => numbersIn(`/proc/${pid}/task/${task}/children`));
}

/** The name of the program that a process runs (comm, 15 bytes); null when it is gone. */
export function programOf(pid: number): string | null {
  return orNothing(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd());
}

/** A process's memory, as the kernel sums it over its mappings. Throws when it is gone. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return { privateDirtyKib: fieldOf(text, 'Private_Dirty'), rssKib: fieldOf(text, 'Rss') };
}

/** Whitespace-separated numbers in a kernel file; none when it is gone. */
export function numbersIn(path: string): readonly number[] {
  const text = orNothing(() => readFileSync(path, 'utf8')) ?? '';
  return text.split(/\s+/).filter(Boolean).map(Number);
}

function fieldOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
}

// A process may end between being listed and being read; any other error is a real one.
function orNothing<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}
