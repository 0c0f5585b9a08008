import { closeSync, constants, openSync, readSync } from 'node:fs';
import { isErrno } from '../lib/errors.ts';

/** A process that the kernel ended because memory ran out. */
export interface OomVictim {
  readonly pid: number;
  /** Of its executable, at most 15 characters (proc(5), comm). */
  readonly name: string;
}

/** One record is at most this long (Documentation/ABI/testing/dev-kmsg). */
const MOST_RECORD_BYTES = 8_192;
/** More than the buffer of most kernels holds. */
const MOST_RECORDS = 50_000;

/**
 * The processes of a cgroup (or below it) that the kernel's log tells of, oldest first. The kernel
 * says the number of kills in `memory.events`, and whom only here. Does not throw: the log may be
 * another's (in a container), or have gone on since.
 *
 * @param cgroup its path below the mount; the kernel writes it from the root of all
 */
export function readOomVictims(cgroup: string): readonly OomVictim[] {
  const victims: OomVictim[] = [];
  for (const record of kernelRecords()) {
    const victim = victimOf(record, cgroup);
    if (victim !== null) victims.push(victim);
  }
  return victims;
}

const OOM_KILL = /oom-kill:.*,task_memcg=([^,]*),task=(.*),pid=(\d+),uid=\d+/;

/** Exported for its test: `oom-kill:constraint=CONSTRAINT_MEMCG,…,task_memcg=/a/b,task=x,pid=1,uid=0`. */
export function victimOf(record: string, cgroup: string): OomVictim | null {
  const [, memcg, name, pid] = OOM_KILL.exec(record) ?? [];
  if (memcg === undefined || name === undefined) return null;
  const isWithin = memcg.endsWith(cgroup) || memcg.includes(`${cgroup}/`);
  return isWithin ? { pid: Number(pid), name } : null;
}

function* kernelRecords(): Generator<string> {
  const fd = openKernelLog();
  if (fd === null) return;
  try {
    const buffer = Buffer.alloc(MOST_RECORD_BYTES);
    for (let count = 0; count < MOST_RECORDS; count += 1) {
      const bytes = readRecord(fd, buffer);
      if (bytes === 'end') return;
      if (bytes !== 'overwritten') yield buffer.toString('utf8', 0, bytes);
    }
  } finally {
    closeSync(fd);
  }
}

function openKernelLog(): number | null {
  try {
    return openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

function readRecord(fd: number, buffer: Buffer): number | 'end' | 'overwritten' {
  try {
    return readSync(fd, buffer) || 'end';
  } catch (error) {
    return isErrno(error, 'EPIPE') ? 'overwritten' : 'end';
  }
}
