import type { FastifyInstance } from 'fastify';
import { Refused } from './errors.ts';
import { isOurHost, isSameOrigin } from './origin.ts';

/**
 * Nothing of anybody else's runs in our pages, and our pages run nowhere else. No script, style or handler
 * in a page itself, no text that becomes markup (CONSOLE: Trusted Types).
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** A year: who came encrypted once comes no other way. */
const HSTS = 'max-age=31536000';

const SAFE = new Set(['GET', 'HEAD']);

/** What every request must be and every answer carries, whatever its route. */
export function guard(server: FastifyInstance, names: readonly string[]): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (request.protocol === 'https') reply.header('strict-transport-security', HSTS);
    const { host, origin } = request.headers;
    if (!isOurHost(host, names)) {
      throw new Refused(421, `'${host ?? ''}' is no name of this console`);
    }
    const fetchSite = request.headers['sec-fetch-site'];
    const from = { host, origin, fetchSite: String(fetchSite ?? '') || undefined };
    if (!SAFE.has(request.method) && !isSameOrigin(from)) {
      throw new Refused(403, 'a page of somebody else cannot change anything here');
    }
  });
}
