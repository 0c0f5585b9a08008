const MOST = 30;

/**
 * How late the loop came to what it does at intervals anyway: costs no timer of its own.
 * Milliseconds; the worst of the last thirty times.
 */
export class LoopDelay {
  readonly #latenessMs: number[] = [];

  /** It was due at one time, and came at another. */
  note(dueMs: number, nowMs: number): void {
    this.#latenessMs.push(Math.max(nowMs - dueMs, 0));
    if (this.#latenessMs.length > MOST) this.#latenessMs.shift();
  }

  /** `null` before the first time. */
  get worstMs(): number | null {
    return this.#latenessMs.length === 0 ? null : Math.max(...this.#latenessMs);
  }
}
