import { hostname } from 'node:os';
import Fastify, { type FastifyInstance } from 'fastify';
import type { RpcClient } from '../../rpc/client.ts';
import { Attempts } from './auth/attempts.ts';
import { Authenticator } from './auth/authenticator.ts';
import { Passwords } from './auth/passwords.ts';
import { Sessions } from './auth/sessions.ts';
import { answerErrors } from './errors.ts';
import { guard } from './guard.ts';
import { loginRoutes } from './routes/login.ts';
import { machineRoutes } from './routes/machine.ts';
import { rpcRoute } from './routes/rpc.ts';
import type { ConsoleSettings, TlsMaterial } from './settings.ts';

export interface ConsoleParts {
  readonly settings: ConsoleSettings;
  readonly api: RpcClient;
  /** Monotonic. */
  readonly nowMs: () => number;
}

const MAX_BODY_BYTES = 1_048_576;
/** A request has to be there, and a connection to have one, within these. */
const REQUEST_MS = 15_000;
const IDLE_MS = 30_000;
const MOST_CONNECTIONS = 1_000;

/** The console's routes. It listens when it is told to. */
export function createServer({ settings, api, nowMs }: ConsoleParts): FastifyInstance {
  const server: FastifyInstance = Fastify({
    ...(settings.tls === null ? {} : { https: httpsOptions(settings.tls) }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    connectionTimeout: IDLE_MS,
    keepAliveTimeout: IDLE_MS,
    // A proxy's word is worth nothing here: it would let anybody choose an address.
    trustProxy: false,
    return503OnClosing: false,
  });
  server.server.maxConnections = MOST_CONNECTIONS;
  const authenticator = new Authenticator({
    passwords: new Passwords(settings.users, nowMs),
    attempts: new Attempts(nowMs),
    sessions: new Sessions(nowMs),
    audit: (note) => void api.call('console.note', note).catch(() => {}),
  });
  guard(server, [settings.bind, 'localhost', hostname().toLowerCase(), ...settings.hosts]);
  answerErrors(server);
  server.get('/', (_request, reply) => reply.redirect(settings.basePath));
  void server.register(machineRoutes({ settings, api, authenticator }));
  void server.register(loginRoutes(authenticator), { prefix: settings.basePath });
  void server.register(rpcRoute(api, authenticator), { prefix: settings.basePath });
  return server;
}

function httpsOptions({ cert, key, ca }: TlsMaterial) {
  const clients = ca === null ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  return { cert, key, minVersion: 'TLSv1.2' as const, ...clients };
}
