import type { FastifyRequest } from 'fastify';
import type { Attempts } from './attempts.ts';
import type { Passwords } from './passwords.ts';
import type { Session, Sessions } from './sessions.ts';

/** With the prefix a browser takes it over TLS alone, and from this host alone (RFC 6265bis). */
export function cookieName(isSecure: boolean): string {
  return isSecure ? '__Host-pm' : 'pm';
}

/** What the journal keeps of who came in, and who did not. */
interface AccessNote {
  readonly kind: 'login' | 'login-failed' | 'logout';
  readonly user: string;
  readonly address: string;
}

export interface AuthenticatorParts {
  readonly passwords: Passwords;
  readonly attempts: Attempts;
  readonly sessions: Sessions;
  readonly audit: (note: AccessNote) => void;
}

/** Who asks, and how that is known. A session's changes need its token, too. */
export type Visitor =
  | { readonly user: string; readonly via: 'basic' }
  | { readonly user: string; readonly via: 'session'; readonly session: Session };

/** Why somebody is not let in. */
export interface Refusal {
  readonly status: 401 | 429 | 503;
  readonly message: string;
  readonly retryAfterS: number | null;
}

export type Entry = { readonly visitor: Visitor } | { readonly refusal: Refusal };

const UNKNOWN: Refusal = {
  status: 401,
  message: 'log in, or send a user and a password (HTTP Basic)',
  retryAfterS: null,
};
const WRONG: Refusal = { ...UNKNOWN, message: 'the user or the password is wrong' };
const BUSY: Refusal = {
  status: 503,
  message: 'too many passwords are being checked; try again in a moment',
  retryAfterS: 2,
};

/** Knows who a request is from. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
  }

  /** By the session's cookie, or else by HTTP Basic. */
  async enter(request: FastifyRequest): Promise<Entry> {
    const session = this.#parts.sessions.find(cookieOf(request) ?? '');
    if (session !== null) return { visitor: { user: session.user, via: 'session', session } };
    const basic = readBasic(request.headers.authorization);
    if (basic === null) return { refusal: UNKNOWN };
    const refusal = await this.#check(request.ip, basic.user, basic.password, false);
    return refusal === null ? { visitor: { user: basic.user, via: 'basic' } } : { refusal };
  }

  /** Gives the secret for the cookie. */
  async logIn(
    address: string,
    user: string,
    password: string,
  ): Promise<{ readonly secret: string } | { readonly refusal: Refusal }> {
    const refusal = await this.#check(address, user, password, true);
    return refusal === null ? { secret: this.#parts.sessions.begin(user) } : { refusal };
  }

  logOut(request: FastifyRequest, user: string): void {
    this.#parts.sessions.end(cookieOf(request) ?? '');
    this.#parts.audit({ kind: 'logout', user, address: request.ip });
  }

  async #check(
    address: string,
    user: string,
    password: string,
    isLogin: boolean,
  ): Promise<Refusal | null> {
    const { attempts, passwords, audit } = this.#parts;
    const waitMs = attempts.waitMs(address, user);
    if (waitMs > 0) return tooMany(waitMs);
    const verdict = await passwords.check(user, password);
    if (verdict === 'busy') return BUSY;
    if (verdict === 'wrong') {
      attempts.failed(address, user);
      audit({ kind: 'login-failed', user: user.slice(0, 64), address });
      return WRONG;
    }
    attempts.succeeded(address, user);
    if (isLogin) audit({ kind: 'login', user, address });
    return null;
  }
}

function tooMany(waitMs: number): Refusal {
  const retryAfterS = Math.ceil(waitMs / 1_000);
  const message = `too many wrong passwords; try again in ${retryAfterS} s`;
  return { status: 429, message, retryAfterS };
}

function cookieOf({ headers, protocol }: FastifyRequest): string | null {
  const start = `${cookieName(protocol === 'https')}=`;
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((text) => text.startsWith(start))?.slice(start.length) ?? null;
}

/** RFC 7617; in UTF-8. */
function readBasic(header: string | undefined) {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const at = text.indexOf(':');
  return at < 1 ? null : { user: text.slice(0, at), password: text.slice(at + 1) };
}
