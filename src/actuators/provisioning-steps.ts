import { changeMode } from '../host/change-mode.ts';
import { changeOwner, changeOwnerBelow, type OwnerChanges } from '../host/change-owner.ts';
import { addFileCapability, hasFileCapability, removeLeftNames } from '../host/file-capability.ts';
import type { Slice } from '../host/time-slices.ts';
import { findGroup, findUser } from '../host/user-database.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import { formatFileMode } from '../lib/file-mode.ts';
import type { ProvisioningEntry } from '../model/provisioning.ts';
import type { Progress } from './provisioning-progress.ts';

/** Ids by the name (or number) that an entry gives. */
export interface Ids {
  readonly uidByOwner: ReadonlyMap<string, number>;
  readonly gidByGroup: ReadonlyMap<string, number>;
}

const NET_BIND = 'cap_net_bind_service';
/** (uid_t) -1 means "leave it", see chown(2). */
const MAX_ID = 0xffff_fffe;

/** What a daemon that was killed may have left in the way. @throws ProcessmasterError */
export function prepare(entries: readonly ProvisioningEntry[]): void {
  for (const { path, addNetBindCapability } of entries) {
    if (addNetBindCapability) removeLeftNames(path);
  }
}

/** Who everybody is, before anything is changed. @throws ProcessmasterError at the first unknown. */
export async function findIds(
  entries: readonly ProvisioningEntry[],
  progress: Progress,
): Promise<Ids> {
  const uidByOwner = new Map<string, number>();
  const gidByGroup = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    const { owner, group } = entry;
    if (owner !== null && !uidByOwner.has(owner)) {
      uidByOwner.set(
        owner,
        idOf(owner, (await findUser(owner))?.uid, 'user', { index, entry, progress }),
      );
    }
    if (group !== null && !gidByGroup.has(group)) {
      gidByGroup.set(
        group,
        idOf(group, (await findGroup(group))?.gid, 'group', { index, entry, progress }),
      );
    }
  }
  return { uidByOwner, gidByGroup };
}

/** One entry: owner, mode, capability, because a new owner costs a program its privileges (chown(2)). */
export async function applyEntry(
  entry: ProvisioningEntry,
  ids: Ids,
  progress: Progress,
  slice: Slice,
): Promise<void> {
  if (entry.owner !== null || entry.group !== null) await giveAway(entry, ids, progress, slice);
  if (entry.mode !== null) {
    changeMode(entry.path, entry.mode);
    progress.did(`mode ${formatFileMode(entry.mode)}`);
  }
  if (entry.addNetBindCapability) {
    await addFileCapability(entry.path, NET_BIND);
    progress.did(NET_BIND);
  }
}

async function giveAway(
  { path, owner, group, recursive }: ProvisioningEntry,
  { uidByOwner, gidByGroup }: Ids,
  progress: Progress,
  slice: Slice,
): Promise<void> {
  const uid = owner === null ? null : (uidByOwner.get(owner) ?? null);
  const gid = group === null ? null : (gidByGroup.get(group) ?? null);
  const changes: OwnerChanges = { changed: 0, leftAlone: 0 };
  const to = `owner ${owner ?? ''}${group === null ? '' : `:${group}`}`;
  try {
    if (recursive) await changeOwnerBelow(path, { uid, gid }, changes, slice);
    else changeOwner(path, { uid, gid }, changes);
    progress.didChangeOwners(recursive ? `${to} recursively` : to, changes);
  } catch (error) {
    if (changes.changed > 0) progress.didChangeOwners(`${to} of a part`, changes);
    throw error;
  }
}

/** A later entry that changes the owner takes the capability away again. @throws ProcessmasterError */
export async function verifyCapabilities(
  entries: readonly ProvisioningEntry[],
  progress: Progress,
): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (!entry.addNetBindCapability) continue;
    if (await hasFileCapability(entry.path, NET_BIND)) continue;
    progress.beginEntry(index, entry);
    throw new ProcessmasterError(
      'io',
      `a later entry took ${NET_BIND} away again, as a change of owner does (put this entry after it)`,
    );
  }
}

interface Place {
  readonly index: number;
  readonly entry: ProvisioningEntry;
  readonly progress: Progress;
}

function idOf(name: string, id: number | undefined, what: 'user' | 'group', place: Place): number {
  if (id !== undefined) return id;
  if (/^\d+$/.test(name) && Number(name) <= MAX_ID) return Number(name);
  place.progress.beginEntry(place.index, place.entry);
  throw new ProcessmasterError(
    'io',
    `unknown ${what} '${name}' (create it, or correct provisioning.ownership)`,
  );
}
