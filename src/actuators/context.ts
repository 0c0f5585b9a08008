import type { CgroupTree } from '../host/cgroup-tree.ts';
import type { FifoPool } from '../host/fifo.ts';
import type { Identity } from '../host/identity.ts';
import type { KeeperPort } from '../keeper/keeper-port.ts';
import type { Clock } from '../lib/clock.ts';
import type { ResolvedEnvironment } from '../model/environment-reading.ts';
import type { Exit } from '../model/history.ts';
import type { SlotRecord } from '../model/job-progress.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { Launches } from './launches.ts';
import type { ProvisioningEnd, ProvisioningJobs } from './provisioning-jobs.ts';
import type { ServiceLimits } from './service-limits.ts';
import type { StopCommands } from './stop-commands.ts';

/** What the actuators act with. */
export interface ActuatorContext {
  readonly tree: CgroupTree;
  /** `<runtime directory>/services`. */
  readonly servicesDirectory: string;
  readonly fifos: FifoPool;
  readonly keeper: KeeperPort;
  readonly launches: Launches;
  readonly limits: ServiceLimits;
  readonly stopCommands: StopCommands;
  /** The declared environment of a service's next process, see EnvironmentReadings. */
  readonly resolveEnvironment: (accepted: AcceptedSpec, identity: Identity) => ResolvedEnvironment;
  readonly provisioningJobs: ProvisioningJobs;
  /** Nobody is told of one that was given up. */
  readonly onProvisioned: (name: ServiceName, end: ProvisioningEnd) => void;
  readonly daemonEnvironment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** A log file cannot be put aside, in words. */
  readonly onLogTrouble: (name: ServiceName, message: string) => void;
  /** A stop command and all it started ended. */
  readonly onStopCommandEnded: (name: ServiceName, exit: Exit) => void;
  /** The cgroup is there and empty: what happens in it is of interest. */
  readonly onCgroupCreated: (name: ServiceName) => void;
  /** The cgroup was removed: whatever watches it can let go. */
  readonly onCgroupRemoved: (name: ServiceName) => void;
  /** Resolves when these slots of a job are on the disk. */
  readonly recordSlots: (name: ServiceName, slots: readonly SlotRecord[]) => Promise<void>;
  /** Removes a service's folder in the runtime directory. */
  readonly removeServiceFolder: (name: ServiceName) => void;
}
