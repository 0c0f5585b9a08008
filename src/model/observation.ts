import type { OutOfMemory } from './out-of-memory.ts';
import type { AppliedResources } from './resources.ts';
import type { RunUsage } from './run-usage.ts';
import type { LogSettings } from './service-spec.ts';

/** What the kernel says about a service's cgroup. A read error is `unknown`, never `empty`. */
export type CgroupObservation =
  | { readonly kind: 'absent' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'populated'; readonly pids: readonly number[] }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What the kernel (and our own descriptors) say about one service now. */
export interface Observation {
  readonly cgroup: CgroupObservation;
  /**
   * The process that was launched is a child of this daemon and its exit has not been reported, or
   * an earlier daemon launched it a moment ago. While this holds, an empty cgroup means "has not
   * joined yet" or "its exit is about to be reported", and no run is over.
   */
  readonly launcherAlive: boolean;
  /** The stop command (or what it left behind) is at work. Read only while a stop is under way. */
  readonly stopCommandRuns: boolean;
  /**
   * The only process of the cgroup whose parent is outside it: the main process of a service that
   * put itself into the background. Read only while the main process is not in the cgroup.
   */
  readonly leader: ProcessIdentity | null;
  readonly provisioning: ProvisioningObservation;
  /** Both output streams are being read. */
  readonly logsCaptured: boolean;
  /** The limits that this daemon wrote into the cgroup; null when none did. */
  readonly limits: AppliedResources | null;
  /** How what is read is kept; null when it is not read, or not known. */
  readonly logSettings: LogSettings | null;
  /** What the run lost to a lack of memory, where that is more than its history knows of. */
  readonly outOfMemory?: OutOfMemory;
  /** What the run has used. Read only where a job's run seems to be over. */
  readonly usage?: RunUsage;
}

/**
 * How far the provisioning of the accepted spec is: it has none; its marker is not there (or cannot be
 * read, which carrying it out tells); it is being carried out; it was; it was, with other entries.
 */
export type ProvisioningObservation = 'none' | 'due' | 'running' | 'done' | 'outdated';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot (proc(5), field 22 of stat). */
  readonly startTicks: number;
}
