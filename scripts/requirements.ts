import { readFile } from 'node:fs/promises';

/** What this machine lacks to run the daemon, one line each with what to do; empty when all is there. */
export async function missingForDaemon(command: string): Promise<readonly string[]> {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) {
    missing.push(`needs root, to manage cgroups and users (run: sudo ${command})`);
  }
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  if (!/^\S+ \S+ cgroup2 /m.test(mounts)) {
    missing.push(
      'needs cgroup v2, and none is mounted (boot with systemd.unified_cgroup_hierarchy=1, or ' +
        'run: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified)',
    );
  }
  return missing;
}
