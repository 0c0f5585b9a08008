type Order = { readonly kind: 'stop'; readonly reason: string } | { readonly kind: 'replace' };

/**
 * What ends this program. An order to be replaced can come to nothing, and be given again; the first
 * order to stop counts, a second one changes nothing.
 *
 * SIGUSR2 and SIGHUP are ignored from the first line of the launcher on (scripts/preamble.ts), but for
 * the ~30 ms in which Node starts: it puts every signal back to its default, and nothing of ours runs
 * yet. One that comes just then ends the daemon; services run on, and the next daemon adopts them.
 */
export class Orders {
  #stopReason: string | null = null;
  #isReplaceAsked = false;
  #wake: () => void = () => {};

  constructor() {
    // From the first moment: until the daemon listens, a signal's default would end it half-way.
    this.#onStop();
    process.on('SIGUSR2', () => {});
    // A terminal that goes away must not take the services with it.
    process.on('SIGHUP', () => {});
  }

  /** Why it is to end, also when that came after an order to be replaced. */
  get stopReason(): string | null {
    return this.#stopReason;
  }

  listen(onRestart: () => void): void {
    process.on('SIGUSR2', onRestart);
  }

  replace(): void {
    this.#isReplaceAsked = true;
    this.#wake();
  }

  /** Resolves with what is to be done next; from an order to stop on, that. */
  async next(): Promise<Order> {
    for (;;) {
      if (this.#stopReason !== null) return { kind: 'stop', reason: this.#stopReason };
      if (this.#isReplaceAsked) {
        this.#isReplaceAsked = false;
        return { kind: 'replace' };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #onStop(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        this.#stopReason ??= `received ${signal}`;
        this.#wake();
      });
    }
  }
}
