import { closeSync, fstatSync, lstatSync, readSync } from 'node:fs';
import { openFifoForReading } from '../host/fifo.ts';
import { isErrno, messageOf } from '../lib/errors.ts';
import type { LogSettings } from '../model/service-spec.ts';
import type { LineSource } from './line-turns.ts';
import type { ReadTurn } from './read-turn.ts';
import type { SharedWriters } from './shared-writers.ts';
import { StreamReader, type StreamSink } from './stream-reader.ts';
import type { StreamWriter, StreamWriterPorts } from './stream-writer.ts';

export interface CapturedStreamPorts extends StreamWriterPorts {
  readonly turn: ReadTurn;
  readonly writers: SharedWriters;
  /** No process has the stream open any more; once for each time it comes to its end. */
  readonly onEnded: () => void;
}

/** Bounds what a close or one step of a drain reads; a pipe holds far less unless it is refilled. */
const READ_OUT_BYTES = 1024 * 1024;

/**
 * One stream of one service: a FIFO read into a file.
 *
 * INVARIANTS: a FIFO that came to its end is opened anew before the old descriptor is closed, so a
 * run that begins at that moment is read, too; one that nobody has open for writing is let go of until
 * the next run (each descriptor costs every process that is started later); the end of a run completes
 * the last line, a close (after which the service may run on) does not.
 */
export class CapturedStream implements LineSource, StreamSink {
  readonly #fifo: string;
  readonly #path: string;
  readonly #ports: CapturedStreamPorts;
  readonly #writer: StreamWriter;
  #reader: StreamReader | null = null;
  #inode = 0;
  #hasEnded = false;
  /** Nobody writes until the next run. */
  #rests = false;

  /** @throws ProcessmasterError when the FIFO cannot be opened. */
  constructor(fifo: string, path: string, settings: LogSettings, ports: CapturedStreamPorts) {
    this.#fifo = fifo;
    this.#path = path;
    this.#ports = ports;
    this.#open();
    this.#writer = ports.writers.acquire(path, this, settings, ports);
  }

  /** Whether all that is written is read. */
  get isReading(): boolean {
    return this.#reader !== null || this.#rests;
  }

  /** Before a run begins. @throws ProcessmasterError when the FIFO cannot be opened. */
  wake(): void {
    if (this.#rests) this.#open();
  }

  /** Whether nobody had the stream open for writing when it was last looked at. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether this is the stream from what is now at `fifo` to `path`. */
  isOf(fifo: string, path: string): boolean {
    if (!this.isReading || this.#fifo !== fifo || this.#path !== path) return false;
    return lstatSync(fifo, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  take(bytes: Buffer): void {
    this.#hasEnded = false;
    this.#writer.write(bytes, this);
  }

  ended(error: unknown): void {
    this.#reader = null;
    this.#hasEnded = true;
    this.#writer.endRun(this);
    if (error === null) this.#readOn();
    else this.#ports.onTrouble(`cannot read '${this.#fifo}': ${messageOf(error)}`);
    this.#ports.onEnded();
  }

  /** Writes what is in the FIFO; returns true, and ends the last line, when nothing is left in it. */
  drainSome(): boolean {
    if (this.#reader?.readAvailable(READ_OUT_BYTES) === false) return false;
    this.#writer.endRun(this);
    return true;
  }

  holdForLine(): void {
    this.#reader?.pause();
  }

  releaseFromLine(): void {
    this.#reader?.resume();
  }

  /** Writes what is in the FIFO and lets go of it and of the file. */
  close(): void {
    this.#reader?.readAvailable(READ_OUT_BYTES);
    this.#reader?.close();
    this.#reader = null;
    this.#rests = false;
    this.#ports.writers.release(this.#path, this);
  }

  #open(): void {
    this.#read(openFifoForReading(this.#fifo));
  }

  #read(fd: number): void {
    this.#inode = fstatSync(fd).ino;
    this.#reader = new StreamReader(fd, this.#ports.turn, this);
    this.#rests = false;
  }

  /** The service's folder may be gone by now: then there is nothing left to read. */
  #readOn(): void {
    try {
      const fd = openFifoForReading(this.#fifo);
      this.#rests = !this.#isWritten(fd);
      if (this.#rests) closeSync(fd);
      else this.#read(fd);
    } catch (error) {
      this.#ports.onTrouble(messageOf(error));
    }
  }

  /** Takes what is there. Without a writer there is an end, with one there is nothing yet (pipe(7)). */
  #isWritten(fd: number): boolean {
    const { buffer } = this.#ports.turn;
    try {
      const bytes = readSync(fd, buffer);
      if (bytes > 0) this.take(buffer.subarray(0, bytes));
      return bytes > 0;
    } catch (error) {
      if (isErrno(error, 'EAGAIN')) return true;
      closeSync(fd);
      throw error;
    }
  }
}
