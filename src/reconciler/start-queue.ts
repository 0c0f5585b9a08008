import PQueue from 'p-queue';

/** Processes that are being started at the same time. */
const AT_ONCE = 16;

/** Starts that wait for their turn. What runs all the time does not wait for jobs. */
export class StartQueue {
  readonly #starts = new PQueue({ concurrency: AT_ONCE });

  /** Whether more is to be started than may be at once. */
  get hasWaiting(): boolean {
    return this.#starts.size > 0;
  }

  /** Does it when it is its turn; settles as it does. */
  async run(isJob: boolean, start: () => Promise<void>): Promise<void> {
    await this.#starts.add(start, { priority: isJob ? 0 : 1 });
  }
}
