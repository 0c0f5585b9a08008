import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';
import type { SignalName } from './service-spec.ts';

/** signal(7), without the aliases and the real-time ones; the numbers are those of x86 and ARM. */
const NAMES_BY_NUMBER = new Map<number, SignalName>([
  [1, 'SIGHUP'],
  [2, 'SIGINT'],
  [3, 'SIGQUIT'],
  [4, 'SIGILL'],
  [5, 'SIGTRAP'],
  [6, 'SIGABRT'],
  [7, 'SIGBUS'],
  [8, 'SIGFPE'],
  [9, 'SIGKILL'],
  [10, 'SIGUSR1'],
  [11, 'SIGSEGV'],
  [12, 'SIGUSR2'],
  [13, 'SIGPIPE'],
  [14, 'SIGALRM'],
  [15, 'SIGTERM'],
  [16, 'SIGSTKFLT'],
  [17, 'SIGCHLD'],
  [18, 'SIGCONT'],
  [19, 'SIGSTOP'],
  [20, 'SIGTSTP'],
  [21, 'SIGTTIN'],
  [22, 'SIGTTOU'],
  [23, 'SIGURG'],
  [24, 'SIGXCPU'],
  [25, 'SIGXFSZ'],
  [26, 'SIGVTALRM'],
  [27, 'SIGPROF'],
  [28, 'SIGWINCH'],
  [29, 'SIGIO'],
  [30, 'SIGPWR'],
  [31, 'SIGSYS'],
]);

/** Every name that {@link parseSignalName} gives. */
export const SIGNAL_NAMES: readonly SignalName[] = [...NAMES_BY_NUMBER.values()];

/** Reads `SIGTERM`, `TERM`, `sigterm` or `15`. */
export function parseSignalName(text: string): Parsed<SignalName> {
  const upper = text.toUpperCase();
  const name =
    SIGNAL_NAMES.find((known) => known === upper || known === `SIG${upper}`) ??
    (/^\d+$/.test(text) ? NAMES_BY_NUMBER.get(Number(text)) : undefined);
  return name === undefined ? unparsed('a signal such as SIGTERM') : parsed(name);
}
