import type { DesiredService } from './desired.ts';
import type { History } from './history.ts';
import type { Intent } from './intent.ts';
import type { CgroupObservation } from './observation.ts';
import type { ServiceName } from './service-name.ts';

export type ConditionType =
  /** The cgroup is populated. */
  | 'Populated'
  /** Launched, not yet seen in its cgroup. */
  | 'Starting'
  /** A stop is under way. */
  | 'Stopping'
  /** Killed, and the kernel has not let go of the named pids. */
  | 'StopStuck'
  /** The main process is gone while others of the service live on. */
  | 'MainProcessGone'
  /** It runs, and could not be started again: a file that its environment is made from is unreadable. */
  | 'EnvironmentUnreadable'
  /** Limits that were asked for and that this kernel or cgroup does not have. */
  | 'LimitsUnsupported'
  /** Limits whose value the kernel refuses. */
  | 'LimitRefused'
  /** It runs on, and the kernel killed some of its processes because memory ran out. */
  | 'OutOfMemory'
  /** Waiting for the next try. */
  | 'Backoff'
  /** No more restarts until an operator starts it or its spec changes. */
  | 'Failed'
  /** Ended by itself and its restart policy is content with that. */
  | 'Completed'
  /** A job that waits for its next slot. */
  | 'Scheduled'
  /** A job without a success for longer than it is expected to. */
  | 'Overdue'
  /** A job whose schedule gave a next slot that cannot be: it is asked again in a minute. */
  | 'ScheduleHeld'
  /** `global.enabled: false`. */
  | 'Disabled'
  /** An operator stopped it. */
  | 'StoppedByOperator'
  /** The definition is not valid; the last good one stays in force. */
  | 'DefinitionInvalid'
  /** Defined more than once; the last good definition stays in force. */
  | 'DefinitionConflict'
  /** The definition is gone with too many others; nothing is stopped until `update --prune`. */
  | 'DefinitionHeld'
  /** The definition was changed or is gone, and that waits for `pmctl update`. */
  | 'ChangePending'
  /** There never was a good definition. */
  | 'NeverValid'
  /** No longer defined: it is being stopped and forgotten. */
  | 'Removed'
  /** Found running without a record of how it was started. */
  | 'Unrecorded'
  /** The kernel's state could not be read. */
  | 'Unknown'
  /** The working directory is being provisioned. */
  | 'Provisioning'
  /** Provisioning failed and is tried again; without it nothing is started. */
  | 'ProvisioningFailed'
  /** The entries were changed since they were applied. */
  | 'ProvisioningOutdated'
  /** The last action failed and is retried. */
  | 'ActionFailed';

/** One thing that is true of a service now. */
export interface Condition {
  readonly type: ConditionType;
  /** For people: what, why and, where there is something to do, what. */
  readonly message: string;
}

export type Phase =
  | 'STOPPED'
  | 'STARTING'
  | 'RUNNING'
  | 'STOPPING'
  | 'BACKOFF'
  | 'FAILED'
  | 'INVALID'
  | 'DISABLED'
  | 'SCHEDULED';

/** The screen's word for a set of conditions. The first that holds wins; the order is the meaning. */
const PHASES: readonly (readonly [ConditionType, Phase])[] = [
  ['Stopping', 'STOPPING'],
  ['Starting', 'STARTING'],
  ['Populated', 'RUNNING'],
  ['Provisioning', 'STARTING'],
  ['NeverValid', 'INVALID'],
  ['Disabled', 'DISABLED'],
  ['StoppedByOperator', 'STOPPED'],
  ['Failed', 'FAILED'],
  ['Backoff', 'BACKOFF'],
  ['Scheduled', 'SCHEDULED'],
  ['ProvisioningFailed', 'BACKOFF'],
];

/** One word for a set of conditions. */
export function phaseOf(conditions: readonly Condition[]): Phase {
  const types = new Set(conditions.map((condition) => condition.type));
  return PHASES.find(([type]) => types.has(type))?.[1] ?? 'STOPPED';
}

/** What the reconciler writes after each pass over a service. */
export interface ServiceStatus {
  readonly name: ServiceName;
  readonly phase: Phase;
  readonly conditions: readonly Condition[];
  readonly desired: DesiredService | null;
  /** The one in force; `null` when there is none or its time is over. */
  readonly intent: Intent | null;
  readonly history: History;
  readonly cgroup: CgroupObservation;
}
