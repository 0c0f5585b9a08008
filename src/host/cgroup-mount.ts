import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';

/** CGROUP2_SUPER_MAGIC, see statfs(2). */
const CGROUP2_MAGIC = 0x63677270;
const USUAL_MOUNT = '/sys/fs/cgroup';
/** The cgroup of the daemon itself, below its instance's. */
export const DAEMON_LEAF = 'daemon';

/**
 * The mount point of cgroup v2 in the text of /proc/self/mounts (fstab(5) format), the usual one if
 * there are several; null without any.
 */
export function findCgroupMount(mountsText: string): string | null {
  const mounts = mountsText
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === 'cgroup2')
    .map((fields) => unescapeOctal(fields[1] ?? ''));
  return mounts.find((mount) => mount === USUAL_MOUNT) ?? mounts[0] ?? null;
}

/**
 * The cgroup below which the instance `name` lives: `null` is the mounted hierarchy's root, `self`
 * is the cgroup that this process was started in (or its predecessor, where it has taken over from
 * one), anything else is the absolute path of one.
 * @throws ProcessmasterError `invalid_config` when it is not cgroup v2 or cannot be written.
 */
export function resolveCgroupRoot(configured: string | null, name: string): string {
  const isFound = configured === null || configured === 'self';
  const root = isFound ? mountedRoot(configured, name) : configured;
  const refuse = (why: string, cause?: unknown) =>
    new ProcessmasterError('invalid_config', `cannot use '${root}' as cgroup.root: ${why}`, {
      cause,
    });
  let type: number;
  try {
    type = statfsSync(root).type;
  } catch (error) {
    throw refuse(`${messageOf(error)} (name a folder of a cgroup v2 mount)`, error);
  }
  if (type !== CGROUP2_MAGIC) {
    throw refuse('it is not cgroup v2 (leave cgroup.root out to have the mount found)');
  }
  try {
    accessSync(root, constants.W_OK);
  } catch (error) {
    throw refuse(
      `it cannot be written: ${messageOf(error)} (run as root, with the hierarchy mounted read-write)`,
      error,
    );
  }
  return root;
}

function mountedRoot(configured: 'self' | null, name: string): string {
  const mount = findCgroupMount(readFileSync('/proc/self/mounts', 'utf8'));
  if (mount === null) {
    throw new ProcessmasterError(
      'invalid_config',
      'cannot find cgroup v2: no such file system is mounted (mount it: mount -t cgroup2 none /sys/fs/cgroup)',
    );
  }
  return configured === 'self' ? join(mount, withoutOwnLeaf(ownCgroup(), name)) : mount;
}

/** Where systemd runs the control processes (ExecStopPost=) of a unit with Delegate=, below the unit's. */
const CONTROL_LEAF = '.control';

/**
 * The cgroup of the systemd unit whose end this process follows (as its `ExecStopPost=`);
 * null when it does not, or when systemd puts the daemon somewhere else than into that cgroup.
 */
export function endedUnitCgroup(): string | null {
  const cgroup = ownCgroup();
  const mount = findCgroupMount(readFileSync('/proc/self/mounts', 'utf8'));
  if (mount === null || basename(cgroup) !== CONTROL_LEAF) return null;
  return join(mount, dirname(cgroup));
}

/** The path of a cgroup below its mount, with a leading slash; as it is when it is elsewhere. */
export function pathBelowMount(cgroup: string): string {
  const mount = findCgroupMount(readFileSync('/proc/self/mounts', 'utf8'));
  return mount !== null && cgroup.startsWith(`${mount}/`) ? cgroup.slice(mount.length) : cgroup;
}

/** A daemon sits in a leaf of its own tree (see CgroupTree), and so does what takes its place. */
function withoutOwnLeaf(cgroup: string, name: string): string {
  const instance = dirname(cgroup);
  const isOwnLeaf = basename(cgroup) === DAEMON_LEAF && basename(instance) === name;
  return isOwnLeaf ? dirname(instance) : cgroup;
}

/** The path of this process's cgroup v2 below the mount, the `0::` line of cgroups(7). */
function ownCgroup(): string {
  const line = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('0::'));
  const path = line?.slice('0::'.length) ?? '';
  // cgroup_namespaces(7): a cgroup outside of the namespace's root shows as `/../…`.
  if (path === '' || path.split('/').includes('..')) {
    throw new ProcessmasterError(
      'invalid_config',
      `cannot use the daemon's own cgroup as cgroup.root: '${path}' is not below the mounted cgroup v2 (name a folder instead of "self")`,
    );
  }
  return path;
}

/** `\040` and the like, as in getmntent(3). */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
