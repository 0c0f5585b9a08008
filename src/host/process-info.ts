import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';

/** A process as /proc/<pid>/stat has it, see proc_pid_stat(5). */
export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  /** One letter: `R` runs, `S` sleeps, `D` sleeps uninterruptibly, `T` is stopped, `Z` is a zombie, … */
  readonly state: string;
  /** When it started, in clock ticks since boot; with the pid, it names a process for good. */
  readonly startTicks: number;
  /** The name of the program, at most 15 bytes. */
  readonly command: string;
}

/** USER_HZ: what times in /proc count in, 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const MS_PER_TICK = 1_000 / TICKS_PER_SECOND;
const MAX_COMMAND_LINE_BYTES = 4096;

/** Null when there is no such process. @throws ProcessmasterError `io`. */
export function readProcess(pid: number): ProcessInfo | null {
  const stat = readOf(pid, 'stat');
  if (stat === null) return null;
  // The name can hold spaces and parentheses; what follows the last one cannot.
  const nameEnd = stat.lastIndexOf(')');
  const fields = stat.slice(nameEnd + 2).split(' ');
  const [state, ppid] = fields;
  const startTicks = fields[19];
  if (state === undefined || ppid === undefined || startTicks === undefined) {
    throw new ProcessmasterError('io', `cannot read '/proc/${pid}/stat': fields are missing`);
  }
  const command = stat.slice(stat.indexOf('(') + 1, nameEnd);
  return { pid, ppid: Number(ppid), state, startTicks: Number(startTicks), command };
}

/** Whether the process is there, be it a zombie; cheaper than {@link readProcess}. See kill(2). */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}

/**
 * The first 4096 bytes of the arguments, with spaces between; the name in brackets, like ps(1), for
 * a process without any (a zombie, a kernel thread); empty when there is no such process.
 */
export function readCommandLine(pid: number): string {
  const text = readBeginning(pid, 'cmdline');
  if (text === null) return '';
  const line = text.replace(/\0+$/, '').replaceAll('\0', ' ');
  if (line !== '') return line;
  const found = readProcess(pid);
  return found === null ? '' : `[${found.command}]`;
}

/**
 * What a variable was when the process was started, within the first 4096 bytes of its environment;
 * `null` when it has none of that name, and when there is no such process.
 */
export function readVariable(pid: number, name: string): string | null {
  const entries = readBeginning(pid, 'environ')?.split('\0') ?? [];
  const entry = entries.find((one) => one.startsWith(`${name}=`));
  return entry === undefined ? null : entry.slice(name.length + 1);
}

/** When the process started, in wall clock milliseconds as the clock is set now, to 10 ms. */
export function processStartedAtMs(info: ProcessInfo): number {
  // Not from btime of /proc/stat, which is whole seconds.
  const uptimeSeconds = Number(readKernelFile('/proc/uptime').split(' ')[0]);
  return Math.round(Date.now() - uptimeSeconds * 1_000 + info.startTicks * MS_PER_TICK);
}

let knownBootId: string | undefined;

/** Names the time since the host's last boot, see random(4). @throws ProcessmasterError `io`. */
export function bootId(): string {
  knownBootId ??= readKernelFile('/proc/sys/kernel/random/boot_id').trim();
  return knownBootId;
}

/** Memory that is this process's own (smaps_rollup); null when there is no such process. */
export function privateDirtyBytes(pid: number): number | null {
  const kibibytes = /^Private_Dirty:\s+(\d+) kB$/m.exec(readOf(pid, 'smaps_rollup') ?? '')?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

function readOf(pid: number, file: string): string | null {
  return ifThere(() => readKernelFile(`/proc/${pid}/${file}`));
}

function readBeginning(pid: number, file: string): string | null {
  return ifThere(() => {
    const fd = openSync(`/proc/${pid}/${file}`, 'r');
    try {
      const bytes = Buffer.alloc(MAX_COMMAND_LINE_BYTES);
      return bytes.toString('utf8', 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  });
}

/** A process that ends while it is read gives ESRCH. */
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}

function readKernelFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ProcessmasterError('io', `cannot read '${path}': ${messageOf(error)}`, {
      cause: error,
    });
  }
}
