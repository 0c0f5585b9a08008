/** An event of the daemon itself. */
type Say = (kind: 'watch.degraded' | 'watch.recovered', message: string) => void;

/** What is not watched and so is seen later than it happens; events and warnings tell of it. */
export class DegradedWatches {
  readonly #say: Say;
  readonly #reasons = new Map<string, string>();

  constructor(say: Say) {
    this.#say = say;
  }

  /** `what` cannot be watched (a sentence that says why), or is watched again (null). */
  note(what: string, reason: string | null): void {
    if (reason === null) {
      if (this.#reasons.delete(what)) this.#say('watch.recovered', `watched again: ${what}`);
      return;
    }
    this.#reasons.set(what, reason);
    this.#say('watch.degraded', reason);
  }

  warnings(): readonly string[] {
    return [...this.#reasons.values()];
  }
}
