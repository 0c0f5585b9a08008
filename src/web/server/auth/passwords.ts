import { createHmac, randomBytes } from 'node:crypto';
import { isPasswordOf } from '../../../lib/password-hash.ts';
import type { ConsoleUser } from '../../../model/console-config.ts';

/** Each takes a core for some tenths of a second. */
const AT_ONCE = 2;
/** More that wait are turned away. */
const MOST_WAITING = 64;
/** A right password is not computed again for so long; scripts send it with each request. */
const REMEMBERED_MS = 600_000;
const MOST_REMEMBERED = 1_000;
/** As much work as for a user that there is; nobody's password. */
const NOBODYS_HASH = '$2b$12$m.PQpGMmQUTFnTiiAwd9NepTxUrwnmKQHsbsIdX8Eie8LFmtDZGpi';

export type Verdict = 'right' | 'wrong' | 'busy';

/**
 * Who knows whose password.
 *
 * INVARIANTS: a user that there is not takes as long as one that there is; what is remembered is no
 * password, and of no use without this process's key.
 */
export class Passwords {
  readonly #hashByName: ReadonlyMap<string, string>;
  readonly #nowMs: () => number;
  readonly #key = randomBytes(32);
  readonly #rightUntilMs = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #atWork = 0;

  constructor(users: readonly ConsoleUser[], nowMs: () => number) {
    this.#hashByName = new Map(users.map(({ name, hash }) => [name, hash]));
    this.#nowMs = nowMs;
  }

  async check(name: string, password: string): Promise<Verdict> {
    const digest = this.#digest(name, password);
    if ((this.#rightUntilMs.get(digest) ?? 0) > this.#nowMs()) return 'right';
    if (this.#waiting.length >= MOST_WAITING) return 'busy';
    const hash = this.#hashByName.get(name);
    const isRight = await this.#inTurn(() => isPasswordOf(password, hash ?? NOBODYS_HASH));
    if (!isRight || hash === undefined) return 'wrong';
    this.#remember(digest);
    return 'right';
  }

  #digest(name: string, password: string): string {
    const text = JSON.stringify([name, password]);
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }

  #remember(digest: string): void {
    this.#rightUntilMs.delete(digest);
    const [oldest] = this.#rightUntilMs.keys();
    if (this.#rightUntilMs.size >= MOST_REMEMBERED && oldest !== undefined) {
      this.#rightUntilMs.delete(oldest);
    }
    this.#rightUntilMs.set(digest, this.#nowMs() + REMEMBERED_MS);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#atWork >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#atWork += 1;
    try {
      return await work();
    } finally {
      // Its place goes to the next one, if anybody waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#atWork -= 1;
      else next();
    }
  }
}
