/** What the kernel says: the tests believe this, not the daemon's own words. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where cgroup v2 is mounted; no test runs without it. */
export function cgroupMount(): string {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
  if (mount === undefined) throw new Error('cannot test: no cgroup v2 is mounted');
  return mount;
}

/** All pids in a cgroup and the cgroups below it; empty when it is gone. */
export function cgroupPids(cgroup: string): readonly number[] {
  return [cgroup, ...childCgroups(cgroup)].flatMap((each) =>
    readOr(join(each, 'cgroup.procs'), '').split('\n').filter(Boolean).map(Number),
  );
}

/** Every cgroup below one, the deepest first. */
export function childCgroups(cgroup: string): readonly string[] {
  return foldersIn(cgroup)
    .map((name) => join(cgroup, name))
    .flatMap((child) => [...childCgroups(child), child]);
}

/** Empty for a folder that is gone, also when it goes while it is read. */
function foldersIn(path: string): readonly string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  const state = processField(pid, 'State');
  return state !== undefined && !state.startsWith('Z');
}

/** A line of `/proc/<pid>/status`, e.g. `Groups`. */
export function processField(pid: number, name: string): string | undefined {
  const line = new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm');
  return line.exec(readOr(`/proc/${pid}/status`, ''))?.[1];
}

export function processEnvironment(pid: number): Readonly<Record<string, string>> {
  const entries = readOr(`/proc/${pid}/environ`, '').split('\0').filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => {
      const separator = entry.indexOf('=');
      return [entry.slice(0, separator), entry.slice(separator + 1)];
    }),
  );
}

export function commandLine(pid: number): string {
  return readOr(`/proc/${pid}/cmdline`, '').replaceAll('\0', ' ').trim();
}

/** A file's text, or `missing` when it cannot be read (any more). */
export function readOr(file: string, missing: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return missing;
  }
}

/** Ended children of a process that it has not reaped. */
export function zombiesOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => processField(pid, 'PPid') === String(parent))
    .filter((pid) => processField(pid, 'State')?.startsWith('Z'));
}
