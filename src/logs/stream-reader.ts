import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { isErrno } from '../lib/errors.ts';
import type { ReadTurn, TurnTaker } from './read-turn.ts';

/** Who is told what a reader reads. */
export interface StreamSink {
  /** `bytes` are valid only during the call. */
  take(bytes: Buffer): void;
  /** Nobody has the pipe open for writing any more (once), or it cannot be read (`error`). */
  ended(error: unknown): void;
}

/**
 * Reads one FIFO by epoll, and hands on what it reads at once. Takes over the descriptor
 * (`O_RDONLY | O_NONBLOCK`) and closes it.
 *
 * A file stream would block one of libuv's four threads per FIFO; `onread` with a buffer of ours
 * makes no garbage, and its callback is synchronous, so nothing is ever read ahead of the writer.
 *
 * INVARIANTS: `ended` is called at most once, never after `close`; bytes are in the pipe or handed
 * on, never in between.
 */
export class StreamReader implements TurnTaker {
  readonly #fd: number;
  readonly #turn: ReadTurn;
  readonly #sink: StreamSink;
  readonly #socket: Socket;
  #isOpen = true;
  #heldForTurn = false;
  #isPaused = false;

  constructor(fd: number, turn: ReadTurn, sink: StreamSink) {
    this.#fd = fd;
    this.#turn = turn;
    this.#sink = sink;
    const callback = (bytes: number) => this.#take(bytes);
    this.#socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: { buffer: turn.buffer, callback },
    });
    this.#socket.once('end', () => this.#end(null));
    this.#socket.on('error', (error) => this.#end(error));
    turn.add(this);
  }

  /**
   * Reads what is in the pipe now, up to `maxBytes`, without waiting for the loop.
   * Returns whether the pipe is empty.
   */
  readAvailable(maxBytes: number): boolean {
    const { buffer } = this.#turn;
    try {
      for (let read = 0; this.#isReadable() && read < maxBytes; ) {
        const bytes = readSync(this.#fd, buffer);
        if (bytes === 0) return true;
        read += bytes;
        this.#sink.take(buffer.subarray(0, bytes));
      }
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) this.#end(error);
      return true;
    }
    return !this.#isReadable();
  }

  holdForTurn(): void {
    this.#heldForTurn = true;
    this.#socket.pause();
  }

  releaseFromTurn(): void {
    this.#heldForTurn = false;
    this.#read();
  }

  /** Leaves in the pipe what comes, until {@link resume}. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#read();
  }

  /** Closes the descriptor; unread bytes stay in the pipe for whoever else has it open. */
  close(): void {
    this.#isOpen = false;
    this.#turn.remove(this);
    this.#socket.destroy();
  }

  #take(bytes: number): boolean {
    const { buffer } = this.#turn;
    this.#turn.spend(this, bytes, () => this.#sink.take(buffer.subarray(0, bytes)));
    return true;
  }

  /** A socket that failed has closed its descriptor before it says so. */
  #isReadable(): boolean {
    return this.#isOpen && !this.#socket.destroyed;
  }

  #read(): void {
    if (this.#isOpen && !this.#heldForTurn && !this.#isPaused) this.#socket.resume();
  }

  #end(error: unknown): void {
    if (!this.#isOpen) return;
    this.#sink.ended(error);
    this.close();
  }
}
