import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { isErrno } from '../lib/errors.ts';

/** O_CLOEXEC in the `flags` of /proc/<pid>/fdinfo, see proc_pid_fdinfo(5). */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes what this process was started with beyond 0, 1 and 2, so that no service gets it: Node
 * marks its own descriptors close-on-exec, and of the inherited ones only the first few. For the
 * beginning of a program, before it hands a descriptor to a child.
 */
export function closeInheritedDescriptors(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd > 2 && isInherited(fd)) closeSync(fd);
  }
}

function isInherited(fd: number): boolean {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch (error) {
    // The descriptor by which the folder was listed.
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
