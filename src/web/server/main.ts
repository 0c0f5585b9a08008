/**
 * The web console: `console UID:GID`. A child of the daemon's, which tells it its settings on stdin and
 * answers it on descriptor 3. It ends with that socket.
 */
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { buildInfo } from '../../lib/build-info.ts';
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
void serve();

async function serve(): Promise<void> {
  const socket = new Socket({ fd: API_FD, readable: true, writable: true });
  socket.on('close', () => process.exit(0));
  const settings = JSON.parse(await text(process.stdin)) as ConsoleSettings;
  const api = connectOver(socket, { build: buildInfo(), timeoutMs: ANSWER_TIMEOUT_MS });
  await api.call('daemon.version', {});
  const server = createServer({ settings, api, nowMs: () => performance.now() });
  await server.listen({ host: settings.bind, port: settings.port });
}
