import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Entry, Visitor } from './auth/authenticator.ts';
import { Refused } from './errors.ts';

/** The header in which a page of ours sends its session's token. */
const TOKEN_HEADER = 'x-pm-csrf';

/** Who asks. @throws Refused when it is nobody */
export function requireVisitor(entry: Entry): Visitor {
  if ('refusal' in entry) throw Refused.by(entry.refusal);
  return entry.visitor;
}

/**
 * Who asks for a change: of a session only a page that could read its token, which no page of others can.
 * @throws Refused
 */
export function requireToken(request: FastifyRequest, entry: Entry): Visitor {
  const visitor = requireVisitor(entry);
  const token = request.headers[TOKEN_HEADER];
  if (visitor.via === 'session' && !isSame(String(token ?? ''), visitor.session.csrf)) {
    throw new Refused(403, `the session's token is missing (header ${TOKEN_HEADER})`);
  }
  return visitor;
}

/** Takes as long for any text of the right length. */
export function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
