/**
 * The web console: `console UID:GID`. A child of the daemon's, which tells it its settings on stdin and
 * answers it on descriptor 3. It ends with that socket.
 */
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { buildInfo } from '../../lib/build-info.ts';
import { messageOf, ProcessmasterError } from '../../lib/errors.ts';
import { connectOver } from '../../rpc/client.ts';
import { becomeUser } from './become-user.ts';
import { createServer } from './server.ts';
import type { ConsoleSettings } from './settings.ts';

const API_FD = 3;
const ANSWER_TIMEOUT_MS = 30_000;

// Its own files are read by now: root may have them where nobody else may look.
becomeUser(process.argv[2] ?? '');
process.title = 'processmaster: console';
process.on('SIGTERM', () => process.exit(0));
serve().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
});

async function serve(): Promise<void> {
  const socket = new Socket({ fd: API_FD, readable: true, writable: true });
  socket.on('close', () => process.exit(0));
  const settings = JSON.parse(await text(process.stdin)) as ConsoleSettings;
  const api = connectOver(socket, { build: buildInfo(), timeoutMs: ANSWER_TIMEOUT_MS });
  const server = createServer({ settings, api, nowMs: () => performance.now() });
  await listen(server, settings);
  // The daemon takes the first word for: it listens.
  await api.call('daemon.version', {});
}

async function listen(server: FastifyInstance, { bind, port }: ConsoleSettings): Promise<void> {
  try {
    await server.listen({ host: bind, port });
  } catch (cause) {
    const message = `cannot listen on ${bind}, port ${port}: ${messageOf(cause)}`;
    throw new ProcessmasterError('io', message, { cause });
  }
}
