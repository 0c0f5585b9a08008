import { createHash } from 'node:crypto';
import { formatFileMode } from '../lib/file-mode.ts';

/** What is done to one file or folder before a service's first start. */
export interface ProvisioningEntry {
  /** Absolute. */
  readonly path: string;
  /** Name or number as text; `null` leaves it as it is. */
  readonly owner: string | null;
  readonly group: string | null;
  /** Owner and group of everything below, too. */
  readonly recursive: boolean;
  readonly mode: number | null;
  /** `cap_net_bind_service=+ep`, see capabilities(7). */
  readonly addNetBindCapability: boolean;
}

/** The file whose presence says that a working directory was provisioned. */
const MARKER_NAME = '.pm_provisioned';

/** Where the marker of a working directory is. */
export function markerPath(workingDirectory: string): string {
  return `${workingDirectory === '/' ? '' : workingDirectory}/${MARKER_NAME}`;
}

/** What the marker says: for people, and which entries were applied. */
export function markerText(entries: readonly ProvisioningEntry[]): string {
  return `Provisioned by processmaster. Delete this file to have it done again.\nentries ${entriesId(entries)}\n`;
}

/**
 * Whether a marker tells of other entries than these. One that tells of none (made by hand, or by an
 * earlier tool) does not. Its text is anybody's who may write there, so nothing but a hint rests on it.
 */
export function isOutdated(marker: string, entries: readonly ProvisioningEntry[]): boolean {
  const applied = /^entries ([0-9a-f]{16})$/m.exec(marker)?.[1];
  return applied !== undefined && applied !== entriesId(entries);
}

/** Tells one provisioning from another: the same entries for the same marker. */
export function provisioningKey({
  workingDirectory,
  provisioning,
}: {
  readonly workingDirectory: string;
  readonly provisioning: readonly ProvisioningEntry[];
}): string {
  return `${entriesId(provisioning)} ${workingDirectory}`;
}

/** The entries as a file writes them. */
export function provisioningAsWritten(entries: readonly ProvisioningEntry[]) {
  return entries.map(({ path, owner, group, recursive, mode, addNetBindCapability }) => ({
    path,
    ...(owner === null && group === null ? {} : { ownership: ownership(owner, group, recursive) }),
    ...(mode === null ? {} : { mode: formatFileMode(mode) }),
    ...(addNetBindCapability ? { add_net_bind_capability: true } : {}),
  }));
}

function ownership(owner: string | null, group: string | null, recursive: boolean) {
  return {
    ...(owner === null ? {} : { owner }),
    ...(group === null ? {} : { group }),
    ...(recursive ? { recursive } : {}),
  };
}

function entriesId(entries: readonly ProvisioningEntry[]): string {
  const text = JSON.stringify(provisioningAsWritten(entries));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
