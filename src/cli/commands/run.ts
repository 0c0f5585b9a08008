import { constants } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { ProcessmasterError } from '../../lib/errors.ts';
import { neutralise } from '../../lib/neutralise.ts';
import { LEAST_FOR_MS } from '../../model/intent.ts';
import type { RunOutput } from '../../rpc/job-rows.ts';
import { type Invocation, json, type Output } from '../invocation.ts';
import { readReason } from '../option-values.ts';

/** How often the output is looked for. */
const LOOK_MS = 100;
const MOST_UNKNOWN_LOOKS = 100;
const EXIT_INTERRUPTED = 130;
/** The run is known to have been, not how it ended. */
const EXIT_UNKNOWN = 1;

/** A run as it is followed. */
interface Followed {
  readonly name: string;
  readonly run: number;
  positions: RunOutput['positions'];
  /** So many times in a row the daemon did not know of it. */
  unknownLooks: number;
}

/**
 * Runs a job and shows what it writes, each stream where it belongs; ends with the job's exit code, as
 * a shell would (128 and more for a signal). A daemon that goes away is waited for: the run goes on.
 */
export async function run(invocation: Invocation): Promise<Output> {
  const { operands, values, call } = invocation;
  const name = operands[0] ?? '';
  const reason = readReason('run', values.reason);
  const begun = await call('jobs.run', { name, force: values.force === true, ...reason }, null);
  // Until it has begun, an interrupt ends pmctl as it does any program.
  return follow(invocation, { name, ...begun, unknownLooks: 0 }, new Interrupts());
}

async function follow(
  invocation: Invocation,
  followed: Followed,
  interrupts: Interrupts,
): Promise<Output> {
  for (;;) {
    if (interrupts.take() && !(await goesOn(invocation, followed))) {
      const stderr = `pmctl: run ${followed.run} of '${followed.name}' goes on (pmctl logs ${followed.name}, pmctl stop ${followed.name})\n`;
      return { stdout: '', stderr, exitCode: EXIT_INTERRUPTED };
    }
    const piece = await readPiece(invocation, followed);
    const hasMore = piece !== null && (await show(invocation, followed, piece));
    if (piece?.over === true && !hasMore) return ended(invocation, followed, piece);
    if (!hasMore) await interrupts.within(LOOK_MS);
  }
}

/** `null` while there is no daemon to ask. */
async function readPiece({ call }: Invocation, followed: Followed): Promise<RunOutput | null> {
  const { name, run, positions } = followed;
  try {
    const piece = await call('jobs.output', { name, run, positions: [...positions] });
    followed.unknownLooks = 0;
    return piece;
  } catch (error) {
    if (!(error instanceof ProcessmasterError)) throw error;
    if (error.code === 'unreachable') return null;
    // A daemon that has just come back answers before it has looked at everything.
    followed.unknownLooks += 1;
    if (error.code === 'not_found' && followed.unknownLooks <= MOST_UNKNOWN_LOOKS) return null;
    throw error;
  }
}

async function show(invocation: Invocation, followed: Followed, piece: RunOutput) {
  followed.positions = piece.positions;
  if (piece.gap) {
    const where = `see the log files of '${followed.name}'`;
    await invocation.complain(
      `pmctl: a log file was emptied, replaced or removed before it was shown: ${where}\n`,
    );
  }
  // For machines, stdout is the result.
  const out = invocation.format === 'json' ? 2 : 1;
  const write = out === 2 ? invocation.complain : invocation.write;
  if (piece.stdout !== '') await write(harmless(invocation, piece.stdout, out));
  if (piece.stderr !== '') await invocation.complain(harmless(invocation, piece.stderr, 2));
  return piece.stdout !== '' || piece.stderr !== '';
}

/** On a terminal what a job says must not act on it; a file or another program gets it as it is. */
function harmless({ values, terminal }: Invocation, text: string, fd: 1 | 2): string {
  return values.raw === true || !isatty(fd) ? text : neutralise(text, terminal);
}

function ended({ format }: Invocation, { name, run }: Followed, piece: RunOutput): Output {
  const { exit, outcome } = piece;
  const exitCode = exitCodeOf(exit);
  const stdout = format === 'json' ? json({ application: name, run, outcome, exit }) : '';
  const isTold = exit?.kind === 'exited' && (outcome === 'ok' || outcome === 'failed');
  const why = outcome === null || outcome === 'failed' ? '' : `${outcome}: `;
  const stderr = isTold ? '' : `pmctl: run ${run} of '${name}': ${why}${exit?.message ?? 'gone'}\n`;
  return { stdout, stderr, exitCode };
}

function exitCodeOf(exit: RunOutput['exit']): number {
  if (exit?.kind === 'exited') return exit.code ?? EXIT_UNKNOWN;
  if (exit?.kind !== 'signaled') return EXIT_UNKNOWN;
  const signals: Readonly<Record<string, number>> = constants.signals;
  return 128 + (signals[exit.signal ?? ''] ?? 0);
}

/** Asks whether the run is to be stopped; without somebody to ask, it is left alone and not followed. */
async function goesOn({ call }: Invocation, { name, run }: Followed): Promise<boolean> {
  if (!isatty(0) || !isatty(2)) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `\nStop run ${run} of '${name}'? It goes on otherwise. [y/N] `;
    // Another interrupt is an answer, too.
    const refused = new Promise<string>((resolve) => asking.once('SIGINT', () => resolve('')));
    const answer = await Promise.race([asking.question(question), refused]);
    if (!/^y(es)?$/i.test(answer.trim())) return false;
  } finally {
    asking.close();
  }
  // The run is to end, not the schedule: the stop is over once it was begun.
  const reason = 'pmctl run was interrupted';
  await call('services.stop', { names: [name], wait: false, for_ms: LEAST_FOR_MS, reason }, null);
  return true;
}

/** Interrupts that were not answered yet. */
class Interrupts {
  #pending = false;
  #wake: () => void = () => {};

  constructor() {
    process.on('SIGINT', () => {
      this.#pending = true;
      this.#wake();
    });
  }

  take(): boolean {
    const isPending = this.#pending;
    this.#pending = false;
    return isPending;
  }

  /** Waits, but not through an interrupt. */
  async within(ms: number): Promise<void> {
    if (this.#pending) return;
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([delay(ms), woken]);
  }
}
