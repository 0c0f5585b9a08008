type Order = { readonly kind: 'stop'; readonly reason: string } | { readonly kind: 'replace' };

/** What ends this program: the first order counts, a second one changes nothing. */
export class Orders {
  readonly given: Promise<Order>;
  #give: (order: Order) => void = () => {};

  constructor() {
    this.given = new Promise((resolve) => {
      this.#give = resolve;
    });
    // From the first moment: until the daemon listens, a signal's default would end it half-way.
    this.#onStop();
    process.on('SIGUSR2', () => {});
    // A terminal that goes away must not take the services with it.
    process.on('SIGHUP', () => {});
  }

  listen(onRestart: () => void): void {
    process.on('SIGUSR2', onRestart);
  }

  replace(): void {
    this.#give({ kind: 'replace' });
  }

  #onStop(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => this.#give({ kind: 'stop', reason: `received ${signal}` }));
    }
  }
}
