/** Failures that nobody is made to wait for, from one address and for one user. */
const FREE_OF_ADDRESS = 5;
const FREE_OF_USER = 20;
const LEAST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 60_000;
/** Nothing failed for so long: all is forgotten. */
const FORGOTTEN_MS = 900_000;
const MOST_KEPT = 10_000;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

/**
 * Makes those wait who guess: each failure beyond some doubles the wait of its address, and of the user
 * whose password it was, be there one or not.
 *
 * INVARIANTS: bounded, whoever asks under whatever names.
 */
export class Attempts {
  readonly #nowMs: () => number;
  readonly #failuresByWhom = new Map<string, Failures>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** How long this address and this user have to wait before they may try again; 0 is not at all. */
  waitMs(address: string, user: string): number {
    return Math.max(
      this.#waitOf(`address ${address}`, FREE_OF_ADDRESS),
      this.#waitOf(`user ${user}`, FREE_OF_USER),
    );
  }

  failed(address: string, user: string): void {
    this.#note(`address ${address}`);
    this.#note(`user ${user}`);
  }

  succeeded(address: string, user: string): void {
    this.#failuresByWhom.delete(`address ${address}`);
    this.#failuresByWhom.delete(`user ${user}`);
  }

  #waitOf(whom: string, free: number): number {
    const failures = this.#failuresByWhom.get(whom);
    if (failures === undefined || failures.count < free) return 0;
    const waitMs = Math.min(LEAST_WAIT_MS * 2 ** (failures.count - free), MOST_WAIT_MS);
    return Math.max(failures.lastMs + waitMs - this.#nowMs(), 0);
  }

  #note(whom: string): void {
    const nowMs = this.#nowMs();
    const before = this.#failuresByWhom.get(whom);
    this.#failuresByWhom.delete(whom);
    const [oldest] = this.#failuresByWhom.keys();
    if (this.#failuresByWhom.size >= MOST_KEPT && oldest !== undefined) {
      this.#failuresByWhom.delete(oldest);
    }
    const isOld = before === undefined || nowMs - before.lastMs > FORGOTTEN_MS;
    this.#failuresByWhom.set(whom, { count: isOld ? 1 : before.count + 1, lastMs: nowMs });
  }
}
