/**
 * Gives up every right of root's for good, and makes sure of it.
 *
 * @param identity `UID:GID`
 * @throws when the kernel refuses, or has not done it
 */
export function becomeUser(identity: string): void {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(identity)?.map(Number) ?? [];
  if (uid === undefined || gid === undefined) throw new Error('usage: console UID:GID');
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  process.umask(0o077);
  const is = [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  if (is.join() !== [uid, uid, gid, gid].join()) throw new Error(`it is ${is.join()} still`);
}
