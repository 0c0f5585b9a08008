import type { Clock } from '../lib/clock.ts';

/** A stream that writes into a file; while another one's line is unfinished it is held. */
export interface LineSource {
  holdForLine(): void;
  releaseFromLine(): void;
}

/** A prompt without a newline holds the other streams of its file no longer than this. */
const UNFINISHED_LINE_MS = 50;

/**
 * Whose line a file is in the middle of.
 *
 * INVARIANTS: while one stream's line is unfinished the others of its file are held, but not for long.
 */
export class LineTurns {
  readonly #clock: Clock;
  readonly #sources = new Set<LineSource>();
  #owner: LineSource | null = null;
  #cancelRelease: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isOwner(source: LineSource): boolean {
    return this.#owner === source;
  }

  add(source: LineSource): void {
    this.#sources.add(source);
  }

  /** Returns whether no stream is left. */
  remove(source: LineSource): boolean {
    this.#sources.delete(source);
    if (this.#owner === source) this.own(null);
    return this.#sources.size === 0;
  }

  /** From now on the line is this stream's; null: the file is at the end of a line. */
  own(owner: LineSource | null): void {
    this.#owner = owner;
    if (this.#sources.size < 2 && this.#cancelRelease === null) return;
    this.#releaseAll();
    if (owner === null) return;
    for (const source of this.#sources) if (source !== owner) source.holdForLine();
    this.#cancelRelease = this.#clock.schedule(UNFINISHED_LINE_MS, () => this.#releaseAll());
  }

  #releaseAll(): void {
    this.#cancelRelease?.();
    this.#cancelRelease = null;
    for (const source of this.#sources) source.releaseFromLine();
  }
}
