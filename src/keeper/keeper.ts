import { closeSync, openSync } from 'node:fs';
import { openFifoForService } from '../host/fifo.ts';
import { launch } from '../host/launch.ts';
import { type Clock, readInstant } from '../lib/clock.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { type CaptureOrder, LogCapture } from '../logs/capture.ts';
import type { Exit } from '../model/history.ts';
import type { ProcessIdentity } from '../model/observation.ts';
import type { KeeperPort } from './keeper-port.ts';
import {
  type KeeperEvent,
  type KeptLaunch,
  type LaunchOrder,
  PROTOCOL,
  type Snapshot,
} from './protocol.ts';

type CapturedRun = Omit<Snapshot['captured'][number], 'name'>;

/**
 * Parent of every service's main process, reader of every service's output. Decides nothing.
 *
 * INVARIANTS: a run is launched once, however often it is asked for; the end of a run is kept until
 * it is acknowledged; output is read from the moment a process can write.
 */
export class Keeper implements KeeperPort {
  readonly #clock: Clock;
  readonly #tell: (event: KeeperEvent) => void;
  readonly #capture: LogCapture;
  readonly #launches = new Map<string, KeptLaunch>();
  /** The run of each service that has not ended. */
  readonly #livingRuns = new Map<string, KeptLaunch>();
  readonly #captured = new Map<string, CapturedRun>();

  constructor(clock: Clock, tell: (event: KeeperEvent) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#capture = new LogCapture({
      clock,
      onTrouble: (name, message) => tell({ kind: 'trouble', name, message }),
      onEnded: () => {},
    });
  }

  snapshot(): Snapshot {
    return {
      protocol: PROTOCOL,
      pid: process.pid,
      launches: [...this.#launches.values()],
      captured: [...this.#captured].map(([name, captured]) => ({ name, ...captured })),
    };
  }

  /** What the log files of all services may take together; null is without limit. */
  setLogBudget(maxTotalBytes: number | null): void {
    this.#capture.setBudget(maxTotalBytes);
  }

  async launch(order: LaunchOrder): Promise<ProcessIdentity> {
    const key = keyOf(order);
    const known = this.#launches.get(key);
    if (known !== undefined) return { pid: known.pid, startTicks: known.startTicks };
    const { name, runNumber } = order;
    this.#refuseSecond(name);
    const { pid, startTicks, exited } = this.#start(order);
    const launched: KeptLaunch = { name, runNumber, pid, startTicks, end: null };
    this.#launches.set(key, launched);
    this.#livingRuns.set(name, launched);
    void exited.then((exit) => this.#ended(key, launched, exit));
    return { pid, startTicks };
  }

  async capture(name: string, runNumber: number, order: CaptureOrder): Promise<void> {
    this.#attach(name, runNumber, order);
  }

  async drain(name: string, deadlineMs: number): Promise<void> {
    await this.#capture.drain(name, deadlineMs);
  }

  async detach(name: string): Promise<void> {
    this.#capture.detach(name);
    this.#captured.delete(name);
  }

  acknowledge(name: string, runNumber: number): void {
    const key = keyOf({ name, runNumber });
    if (this.#launches.get(key)?.end != null) this.#launches.delete(key);
  }

  /** Writes what is in the FIFOs and lets go of them. */
  close(): void {
    this.#capture.closeAll();
  }

  /** Whatever a daemon believes: as long as a main process lives, there is no other one beside it. */
  #refuseSecond(name: string): void {
    const living = this.#livingRuns.get(name);
    if (living === undefined) return;
    const message = `cannot start '${name}': its run ${living.runNumber} (pid ${living.pid}) has not ended`;
    throw new ProcessmasterError('launch_failed', message, { stage: 'spawn' });
  }

  /** Our own read-write descriptors come first: a FIFO without a writer reads as ended. */
  #start(order: LaunchOrder): ReturnType<typeof launch> {
    const { name, runNumber, capture, stagePath, ...setup } = order;
    const opened: number[] = [];
    const open = (fd: number) => {
      opened.push(fd);
      return fd;
    };
    try {
      const stdoutFd = open(openFifoForService(capture.stdoutFifo));
      const stderrFd = open(openFifoForService(capture.stderrFifo));
      const stageFd = open(openSync(stagePath, 'w', 0o600));
      this.#attach(name, runNumber, capture);
      return launch({ ...setup, stdoutFd, stderrFd, stageFd, stagePath });
    } catch (error) {
      void this.detach(name);
      throw error;
    } finally {
      for (const fd of opened) closeSync(fd);
    }
  }

  #attach(name: string, runNumber: number, order: CaptureOrder): void {
    this.#capture.attach(name, order);
    this.#captured.set(name, { runNumber, settings: order.settings });
  }

  #ended(key: string, launched: KeptLaunch, exit: Exit): void {
    const ended = { ...launched, end: { exit, at: readInstant(this.#clock) } };
    this.#launches.set(key, ended);
    this.#livingRuns.delete(launched.name);
    this.#tell({ kind: 'exited', launch: ended });
  }
}

function keyOf({ name, runNumber }: { readonly name: string; readonly runNumber: number }): string {
  return `${name} ${runNumber}`;
}
