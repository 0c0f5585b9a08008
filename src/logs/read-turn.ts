/** What is read from one pipe at most in one turn of the event loop before others get theirs. */
const BYTES_PER_TURN = 1024 * 1024;
/** What all log writing together may take of one turn; a stalled disk takes one write of each. */
const MS_PER_TURN = 20;
/** A pipe holds 64 KiB, so more is never there to be read at once (pipe(7)). */
const BUFFER_BYTES = 64 * 1024;

/** A reader that can be made to wait for the next turn. */
export interface TurnTaker {
  holdForTurn(): void;
  releaseFromTurn(): void;
}

/**
 * What all readers of a process share: one buffer, and a fair part of the event loop.
 *
 * INVARIANTS: the buffer is empty between two callbacks, so any number of readers can use it; a
 * reader that has had its bytes, or every reader once the time is spent, waits for the next turn,
 * so supervision runs in between.
 */
export class ReadTurn {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #readers = new Set<TurnTaker>();
  readonly #held = new Set<TurnTaker>();
  #isUnderWay = false;
  #bytes = 0;
  #ms = 0;

  add(reader: TurnTaker): void {
    this.#readers.add(reader);
  }

  remove(reader: TurnTaker): void {
    this.#readers.delete(reader);
    this.#held.delete(reader);
  }

  /** Runs the handling of a chunk of `bytes`, and holds who has had enough. */
  spend(reader: TurnTaker, bytes: number, handle: () => void): void {
    if (!this.#isUnderWay) {
      this.#isUnderWay = true;
      // Runs after the poll phase: all readers have had a chance by then.
      setImmediate(() => this.#end());
    }
    const startedAtMs = performance.now();
    handle();
    this.#bytes += bytes;
    this.#ms += performance.now() - startedAtMs;
    if (this.#ms > MS_PER_TURN) for (const each of this.#readers) this.#hold(each);
    else if (this.#bytes > BYTES_PER_TURN) this.#hold(reader);
  }

  #hold(reader: TurnTaker): void {
    if (this.#held.has(reader)) return;
    this.#held.add(reader);
    reader.holdForTurn();
  }

  #end(): void {
    this.#isUnderWay = false;
    this.#bytes = 0;
    this.#ms = 0;
    const held = [...this.#held];
    this.#held.clear();
    for (const reader of held) reader.releaseFromTurn();
  }
}
