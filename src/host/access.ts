import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Identity } from './identity.ts';

/**
 * Mode bits decide, or an access control list may: its mask shows in the place of the group's bits.
 * What is `unsure` is tried, and the kernel decides.
 */
type Access = 'granted' | 'unsure' | 'denied';

/** The first folder on the way up that `identity` cannot search, by one of `verdicts`. */
export function closedFolder(
  realPath: string,
  identity: Identity,
  verdicts: readonly Access[] = ['denied'],
): string | null {
  for (let folder = realPath; ; folder = dirname(folder)) {
    if (verdicts.includes(accessOf(statSync(folder), identity, 'execute'))) return folder;
    if (folder === '/') return null;
  }
}

/** What the mode of a file or folder lets somebody do with it. */
export function accessOf(stats: Stats, identity: Identity, wanted: 'read' | 'execute'): Access {
  const bit = wanted === 'read' ? 0o4 : 0o1;
  const group = (stats.mode & (bit << 3)) !== 0;
  const others = (stats.mode & bit) !== 0;
  if (identity.uid === 0) {
    // capabilities(7), CAP_DAC_OVERRIDE: anything, but execution needs at least one x.
    const anyone = (stats.mode & 0o111) !== 0;
    return wanted === 'read' || stats.isDirectory() || anyone ? 'granted' : 'denied';
  }
  if (stats.uid === identity.uid) return (stats.mode & (bit << 6)) !== 0 ? 'granted' : 'denied';
  if (identity.gid === stats.gid || identity.groups.includes(stats.gid)) {
    return group ? 'granted' : 'denied';
  }
  if (others) return 'granted';
  return group ? 'unsure' : 'denied';
}
