import { setTimeout as delay } from 'node:timers/promises';

/** The stop commands that run: children of this process, unlike the services, which are the keeper's. */
export class StopCommands {
  readonly #running = new Set<Promise<unknown>>();

  /** `exited` never rejects. */
  began(exited: Promise<unknown>): void {
    this.#running.add(exited);
    void exited.then(() => this.#running.delete(exited));
  }

  get areAtWork(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when none runs any more, or after `deadlineMs`. */
  async ended(deadlineMs: number): Promise<void> {
    const impatience = new AbortController();
    const late = delay(deadlineMs, 'late', { signal: impatience.signal }).catch(() => 'late');
    while (this.#running.size > 0) {
      if ((await Promise.race([late, ...this.#running])) === 'late') return;
    }
    impatience.abort();
  }
}
