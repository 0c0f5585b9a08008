/**
 * The keeper: `keeper SOCKET`. Started by the daemon and outlives it, so that the daemon can be
 * killed, replaced or upgraded without a service losing its parent or a line of its output.
 */
import { closeInheritedDescriptors } from '../host/inherited-descriptors.ts';
import { systemClock } from '../lib/clock.ts';
import { KeeperServer } from './keeper-server.ts';

const [, , socketPath] = process.argv;
if (socketPath === undefined) throw new Error('usage: keeper SOCKET');

closeInheritedDescriptors();
// Set by our own launcher, for this process alone (mallopt(3)).
delete process.env.MALLOC_TRIM_THRESHOLD_;
process.title = 'processmaster: keeper';
// It ends when its daemon says so: a signal for the daemon's whole group must not take it along.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
  process.on(signal, () => {});

endUnless(new KeeperServer(socketPath, systemClock, () => process.exit(0)).listen());

/** Without its socket a keeper is of no use; the daemon notices that it is not there. */
function endUnless(listening: Promise<void>): void {
  listening.catch(() => process.exit(1));
}
