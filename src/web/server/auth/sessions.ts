import { createHash, randomBytes } from 'node:crypto';

const IDLE_MS = 30 * 60_000;
const LONGEST_MS = 12 * 3_600_000;
/** The one that was used longest ago makes room. */
const MOST_SESSIONS = 1_000;
const SECRET_BYTES = 32;

export interface Session {
  readonly user: string;
  /** What a page has to send with whatever changes something. */
  readonly csrf: string;
  readonly startedMs: number;
  usedMs: number;
}

/**
 * Who has logged in.
 *
 * INVARIANTS: what is kept of a session's secret is its digest; none outlives its idle or its longest time;
 * they end with this process.
 */
export class Sessions {
  readonly #nowMs: () => number;
  /** By digest; the one used last is last. */
  readonly #byDigest = new Map<string, Session>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Gives the secret that the browser keeps. */
  begin(user: string): string {
    const [oldest] = this.#byDigest.keys();
    if (this.#byDigest.size >= MOST_SESSIONS && oldest !== undefined) this.#byDigest.delete(oldest);
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const nowMs = this.#nowMs();
    const csrf = randomBytes(SECRET_BYTES).toString('base64url');
    this.#byDigest.set(digestOf(secret), { user, csrf, startedMs: nowMs, usedMs: nowMs });
    return secret;
  }

  /** The session of a secret, which is used by that; `null` when it is over or never was. */
  find(secret: string): Session | null {
    const digest = digestOf(secret);
    const session = this.#byDigest.get(digest);
    if (session === undefined) return null;
    this.#byDigest.delete(digest);
    const nowMs = this.#nowMs();
    if (nowMs - session.usedMs > IDLE_MS || nowMs - session.startedMs > LONGEST_MS) return null;
    session.usedMs = nowMs;
    this.#byDigest.set(digest, session);
    return session;
  }

  end(secret: string): void {
    this.#byDigest.delete(digestOf(secret));
  }
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
