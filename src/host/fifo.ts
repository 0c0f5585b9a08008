import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { runCommand } from './run-command.ts';

const BATCH = 256;
const REFILL_BELOW = 64;
const MKFIFO_TIMEOUT_MS = 10_000;

/**
 * FIFOs in stock: Node has no mkfifo(3), and a process for each would cost more than the service.
 *
 * INVARIANTS: at most one refill at a time, shared by everyone who waits; a FIFO is handed out once.
 */
export class FifoPool {
  readonly #directory: string;
  readonly #ready: string[] = [];
  #refilling: Promise<void> | null = null;
  #made = 0;

  /** `directory` is the pool's alone, on the file system of the destinations, in a folder of root's. */
  constructor({ directory }: { readonly directory: string }) {
    this.#directory = directory;
  }

  /**
   * Puts a FIFO, 0600 and the owner's, at `destination` (in a folder of root's); what was there is
   * replaced. @throws ProcessmasterError `io`.
   */
  async take(
    destination: string,
    owner: { readonly uid: number; readonly gid: number },
  ): Promise<void> {
    let fifo = this.#ready.pop();
    while (fifo === undefined) {
      await this.#refill();
      fifo = this.#ready.pop();
    }
    this.#place(fifo, destination, owner);
    // Nobody waits for this one; if it fails, the next take that needs it tries again and says why.
    if (this.#ready.length < REFILL_BELOW) this.#refill().catch(() => {});
  }

  /** Removes what is left in stock. */
  close(): void {
    this.#ready.length = 0;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #place(fifo: string, destination: string, owner: { uid: number; gid: number }): void {
    try {
      chownSync(fifo, owner.uid, owner.gid);
      renameSync(fifo, destination);
    } catch (error) {
      this.#ready.push(fifo);
      const message = `cannot put a FIFO at '${destination}': ${messageOf(error)}`;
      throw new ProcessmasterError('io', message, { cause: error });
    }
  }

  #refill(): Promise<void> {
    this.#refilling ??= this.#makeBatch().finally(() => {
      this.#refilling = null;
    });
    return this.#refilling;
  }

  async #makeBatch(): Promise<void> {
    if (this.#made === 0) this.#clear();
    const paths = Array.from({ length: BATCH }, (_, at) =>
      join(this.#directory, `${this.#made + at}`),
    );
    this.#made += BATCH;
    const made = await runCommand(['mkfifo', '-m', '600', '--', ...paths], {
      timeoutMs: MKFIFO_TIMEOUT_MS,
    });
    if (made.code !== 0) {
      const why = made.stderr.trim().split('\n')[0] ?? '';
      throw new ProcessmasterError('io', `cannot make FIFOs in '${this.#directory}': ${why}`);
    }
    this.#ready.push(...paths);
  }

  /** What an earlier daemon left in stock. */
  #clear(): void {
    try {
      rmSync(this.#directory, { recursive: true, force: true });
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      const message = `cannot clear '${this.#directory}': ${messageOf(error)}`;
      throw new ProcessmasterError('io', message, { cause: error });
    }
  }
}

/**
 * A FIFO as a service gets it: read-write, so that opening waits for nobody and writing never gives
 * SIGPIPE (fifo(7)); what is written stays while no daemon reads. The caller closes the descriptor.
 * @throws ProcessmasterError `unsafe_path` when it is something else, `io` when it is not there.
 */
export function openFifoForService(path: string): number {
  return openFifo(path, constants.O_RDWR);
}

/** A FIFO to read without blocking. @throws like {@link openFifoForService}. */
export function openFifoForReading(path: string): number {
  return openFifo(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

function openFifo(path: string, flags: number): number {
  let fd: number;
  try {
    fd = openSync(path, flags | constants.O_NOFOLLOW);
  } catch (error) {
    throw new ProcessmasterError('io', `cannot open '${path}': ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (fstatSync(fd).isFIFO()) return fd;
  closeSync(fd);
  throw new ProcessmasterError('unsafe_path', `cannot open '${path}': it is not a FIFO`);
}
