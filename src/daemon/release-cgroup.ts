import { cgroupAt, disableControllersWithin } from '../host/cgroup.ts';
import { endedUnitCgroup } from '../host/cgroup-mount.ts';
import { messageOf } from '../lib/errors.ts';

/**
 * `processmaster --release-cgroup`, the unit's ExecStopPost=: systemd starts the daemon in the unit's
 * own cgroup, which the kernel allows only while its children have no controllers (cgroup v2's rule of
 * no internal processes). After a crash of the daemon its services are still there and have them. They
 * are taken away for the moment until the daemon, from a cgroup of its own, gives them back.
 */
export function releaseCgroup(): number {
  try {
    const cgroup = endedUnitCgroup();
    if (cgroup !== null) disableControllersWithin(cgroupAt(cgroup));
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}
