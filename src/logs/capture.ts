import type { Clock } from '../lib/clock.ts';
import type { LogSettings } from '../model/service-spec.ts';
import { CapturedStream, type CapturedStreamPorts } from './captured-stream.ts';
import { LogUpkeep } from './log-upkeep.ts';
import { ReadTurn } from './read-turn.ts';
import { SharedWriters } from './shared-writers.ts';

/** The FIFOs that a service writes into, and the files that this ends up in. */
export interface CapturePaths {
  readonly stdoutFifo: string;
  readonly stderrFifo: string;
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

/** What is to be captured, and how what is written is kept. */
export interface CaptureOrder extends CapturePaths {
  readonly settings: LogSettings;
  /** Further log files of the service, written by others: kept in the same bounds. */
  readonly otherPaths: readonly string[];
}

export interface CapturePorts {
  readonly clock: Clock;
  /** Output cannot be read, written or put aside, in words; once per episode. */
  readonly onTrouble: (name: string, message: string) => void;
  /** No process has a stream of this service open any more: all its output is in the files. */
  readonly onEnded: (name: string) => void;
}

/**
 * The capturing of every service's output.
 *
 * INVARIANTS: one writer per file; an attached service stays attached over the ends of its runs,
 * until it is detached.
 */
export class LogCapture {
  readonly #ports: CapturePorts;
  readonly #turn = new ReadTurn();
  readonly #writers: SharedWriters;
  readonly #upkeep: LogUpkeep;
  readonly #streamsByName = new Map<string, readonly CapturedStream[]>();

  constructor(ports: CapturePorts) {
    this.#ports = ports;
    this.#writers = new SharedWriters({
      budgetBytes: () => this.#upkeep.budgetBytes,
      onRotated: (path) => this.#upkeep.rotated(path),
    });
    this.#upkeep = new LogUpkeep({
      clock: ports.clock,
      onTrouble: ports.onTrouble,
      liveBytes: (path) => this.#writers.bytesOf(path),
      rotateWhenDue: () => this.#writers.rotateWhenDue(),
    });
  }

  /** What the log files of all services may take together; null is without limit. */
  setBudget(maxTotalBytes: number | null): void {
    this.#upkeep.setBudget(maxTotalBytes);
  }

  /**
   * Reads a service's FIFOs into its files from now on. Already so is success; with other paths (or
   * other FIFOs at the same paths) what is still in the old FIFOs goes to the old files first. Other
   * settings apply from the next byte on.
   * @throws ProcessmasterError when a FIFO cannot be opened; what was attached stays as it was.
   */
  attach(name: string, order: CaptureOrder): void {
    const { stdoutFifo, stdoutPath, stderrFifo, stderrPath, settings, otherPaths } = order;
    const before = this.#streamsByName.get(name) ?? [];
    const after: CapturedStream[] = [];
    try {
      after.push(this.#stream(name, before, { fifo: stdoutFifo, path: stdoutPath, settings }));
      after.push(this.#stream(name, before, { fifo: stderrFifo, path: stderrPath, settings }));
    } catch (error) {
      for (const stream of after) if (!before.includes(stream)) stream.close();
      throw error;
    }
    this.#streamsByName.set(name, after);
    for (const stream of before) if (!after.includes(stream)) stream.close();
    for (const path of [stdoutPath, stderrPath]) this.#writers.configure(path, settings);
    this.#upkeep.keep(name, [stdoutPath, stderrPath, ...otherPaths], settings);
  }

  isAttached(name: string): boolean {
    return this.#streamsByName.get(name)?.every((stream) => stream.isReading) ?? false;
  }

  /** Stops reading: what is in the FIFOs by now is written, what comes later stays in them. */
  detach(name: string): void {
    for (const stream of this.#streamsByName.get(name) ?? []) stream.close();
    this.#streamsByName.delete(name);
  }

  /**
   * Resolves when the FIFOs are empty and all that was in them is in the files (which is all there
   * will be, once the service's processes are gone), or after `deadlineMs`. Whether somebody else
   * holds the FIFOs open does not matter.
   */
  async drain(name: string, deadlineMs: number): Promise<void> {
    const endsAtMs = this.#ports.clock.monotonicMs() + deadlineMs;
    const left = new Set(this.#streamsByName.get(name));
    while (left.size > 0) {
      for (const stream of left) if (stream.drainSome()) left.delete(stream);
      if (left.size === 0 || this.#ports.clock.monotonicMs() >= endsAtMs) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Detaches every service, for good. */
  closeAll(): void {
    for (const name of [...this.#streamsByName.keys()]) this.detach(name);
    this.#upkeep.close();
  }

  #stream(
    name: string,
    before: readonly CapturedStream[],
    { fifo, path, settings }: { fifo: string; path: string; settings: LogSettings },
  ): CapturedStream {
    const same = before.find((stream) => stream.isOf(fifo, path));
    same?.wake();
    return same ?? new CapturedStream(fifo, path, settings, this.#streamPorts(name));
  }

  #streamPorts(name: string): CapturedStreamPorts {
    return {
      clock: this.#ports.clock,
      turn: this.#turn,
      writers: this.#writers,
      onTrouble: (message) => this.#ports.onTrouble(name, message),
      onEnded: () => this.#streamEnded(name),
    };
  }

  #streamEnded(name: string): void {
    const streams = this.#streamsByName.get(name);
    if (streams?.every((stream) => stream.hasEnded)) this.#ports.onEnded(name);
  }
}
