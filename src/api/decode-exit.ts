import { describeExit, type Exit } from '../model/history.ts';
import { parseSignalName } from '../model/signal-names.ts';

/** What the signals that end processes mean, see signal(7). */
const SIGNAL_MEANINGS: Readonly<Record<string, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'breakpoint trap',
  SIGABRT: 'abort: it gave up by itself, most often after a failed check',
  SIGBUS: 'bus error: memory or a mapped file that is not there',
  SIGFPE: 'arithmetic error such as a division by zero',
  SIGKILL: 'kill: sent by someone, or by the kernel when memory ran out',
  SIGSEGV: 'segmentation fault',
  SIGPIPE: 'broken pipe: nobody reads what it writes',
  SIGALRM: 'alarm clock',
  SIGTERM: 'termination',
  SIGSTKFLT: 'stack fault',
  SIGUSR1: 'user-defined signal that it does not handle',
  SIGUSR2: 'user-defined signal that it does not handle',
  SIGVTALRM: 'virtual alarm clock',
  SIGPROF: 'profiling timer',
  SIGIO: 'input or output is possible',
  SIGPWR: 'power failure',
  SIGSYS: 'bad system call, perhaps one that a filter forbids',
  SIGXCPU: 'limit of CPU time exceeded',
  SIGXFSZ: 'limit of file size exceeded',
};

/** Shells report a command that a signal ended as this and the signal's number. */
const SHELL_SIGNAL_BASE = 128;

/**
 * How a process ended, for people: `killed by SIGSEGV (segmentation fault)`. Of exit codes only what
 * shells agree on is said; a program's own codes mean what its manual says.
 */
export function decodeExit(exit: Exit, successExitCodes: readonly number[]): string {
  if (exit.kind === 'launch_failed') {
    return `could not be started, at the stage '${exit.stage}': ${exit.message}`;
  }
  const meaning = meaningOf(exit, successExitCodes);
  return meaning === null ? describeExit(exit) : `${describeExit(exit)} (${meaning})`;
}

/** What an exit means beyond what it is, or `null`. */
export function meaningOf(exit: Exit, successExitCodes: readonly number[]): string | null {
  switch (exit.kind) {
    case 'exited':
      return meaningOfCode(exit.code, successExitCodes);
    case 'signaled':
      return exit.outOfMemory === undefined ? (SIGNAL_MEANINGS[exit.signal] ?? null) : null;
    case 'launch_failed':
    case 'unknown':
      return null;
  }
}

function meaningOfCode(code: number, successExitCodes: readonly number[]): string | null {
  if (successExitCodes.includes(code)) return 'success';
  if (code === 126) return 'from a shell: a command cannot be executed';
  if (code === 127) return 'from a shell: a command was not found';
  return meaningOfShellSignal(code - SHELL_SIGNAL_BASE);
}

function meaningOfShellSignal(number: number): string | null {
  if (number <= 0) return null;
  const name = parseSignalName(String(number));
  const meaning = name.ok ? SIGNAL_MEANINGS[name.value] : undefined;
  return name.ok && meaning !== undefined
    ? `from a shell: ${SHELL_SIGNAL_BASE} + ${number}, ended by ${name.value}`
    : null;
}
