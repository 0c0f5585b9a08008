import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { type Authenticator, cookieName } from '../auth/authenticator.ts';
import { Refused } from '../errors.ts';
import { requireToken } from '../visitor.ts';

interface Login {
  readonly user: string;
  readonly password: string;
}

/** Logging in and out, and who is logged in. */
export function loginRoutes(authenticator: Authenticator): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.post('login', async (request, reply) => {
      const { user, password } = readLogin(request.body);
      const entry = await authenticator.logIn(request.ip, user, password);
      if ('refusal' in entry) throw Refused.by(entry.refusal);
      reply.header('set-cookie', cookie(entry.secret, request.protocol === 'https'));
      return { user };
    });
    server.post('logout', async (request, reply) => {
      const { user } = requireToken(request, await authenticator.enter(request));
      authenticator.logOut(request, user);
      reply.header('set-cookie', `${cookie('', request.protocol === 'https')}; Max-Age=0`);
      reply.header('clear-site-data', '"cache", "storage"');
      return {};
    });
    server.get('session', async (request) => {
      const entry = await authenticator.enter(request);
      if ('refusal' in entry) throw Refused.by(entry.refusal);
      const { visitor } = entry;
      return {
        user: visitor.user,
        csrf: visitor.via === 'session' ? visitor.session.csrf : null,
      };
    });
  };
}

function cookie(secret: string, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${cookieName(isSecure)}=${secret}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}

function readLogin(body: unknown): Login {
  const { user, password } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof user === 'string' && typeof password === 'string') return { user, password };
  throw new Refused(400, 'expected {"user", "password"}');
}
