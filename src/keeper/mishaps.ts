/** More defects than this within a minute, and a fresh process is the better keeper. */
const AT_MOST = 20;
const WITHIN_MS = 60_000;

/**
 * Counts errors that nobody caught. A keeper lives on after one: what it was doing for one service
 * may be lost, its death would cost every service its exit status and the end of its output.
 */
export class Mishaps {
  readonly #atMs: number[] = [];

  /** Notes one, at this monotonic time; whether the keeper is beyond help. */
  areTooMany(atMs: number): boolean {
    this.#atMs.push(atMs);
    if (this.#atMs.length <= AT_MOST) return false;
    const oldestMs = this.#atMs.shift() ?? atMs;
    return atMs - oldestMs < WITHIN_MS;
  }
}
