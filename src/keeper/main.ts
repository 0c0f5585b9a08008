/**
 * The keeper: `keeper SOCKET`. Started by the daemon and outlives it, so that the daemon can be
 * killed, replaced or upgraded without a service losing its parent or a line of its output.
 */
import { closeInheritedDescriptors } from '../host/inherited-descriptors.ts';
import { systemClock } from '../lib/clock.ts';
import { KeeperServer } from './keeper-server.ts';
import { Mishaps } from './mishaps.ts';

const [, , socketPath] = process.argv;
if (socketPath === undefined) throw new Error('usage: keeper SOCKET');

closeInheritedDescriptors();
// Set by our own launcher, for this process alone (mallopt(3)).
delete process.env.MALLOC_TRIM_THRESHOLD_;
process.title = 'processmaster: keeper';
// It ends when its daemon says so: a signal for the daemon's whole group must not take it along.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
  process.on(signal, () => {});

const mishaps = new Mishaps();
process.on('uncaughtException', liveOn);
process.on('unhandledRejection', liveOn);

endUnless(new KeeperServer(socketPath, systemClock, () => process.exit(0)).listen());

/** Without its socket a keeper is of no use; the daemon notices that it is not there. */
function endUnless(listening: Promise<void>): void {
  listening.catch((error) => {
    write(error);
    process.exit(1);
  });
}

function liveOn(error: unknown): void {
  write(error);
  if (mishaps.areTooMany(systemClock.monotonicMs())) process.exit(1);
}

/** Into its standard error, which is a file that the daemon has opened for it. */
function write(error: unknown): void {
  const at = new Date(systemClock.wallMs()).toISOString();
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${at} keeper ${process.pid}: ${words}\n`);
}
