import type { Fact } from './fact.ts';
import type { SlotRecord } from './job-progress.ts';
import type { Resources } from './resources.ts';
import type { ServiceName } from './service-name.ts';
import type { AcceptedSpec, ServiceSpec, SignalName } from './service-spec.ts';

/** Arguments of each action. A new line here without an actuator does not compile. */
interface ActionArguments {
  /** Begin to provision the working directory; how it ends is told later. */
  readonly provision: { readonly accepted: AcceptedSpec; readonly intentId: number };
  /** Launch the main process in the service's cgroup, its output captured. */
  readonly start: {
    readonly accepted: AcceptedSpec;
    readonly runNumber: number;
    readonly intentId: number;
    /** Set where the run is for a slot of a job. */
    readonly slotMs?: number;
  };
  /** Make sure that slots of a job are on the disk before any of them is acted on. */
  readonly 'record-slots': {
    readonly slots: readonly SlotRecord[];
    readonly doneUntilMs: number;
  };
  /** Ask every process of the cgroup to end. */
  readonly signal: { readonly signal: SignalName };
  /** Run the service's own stop command, outside of its cgroup. */
  readonly 'stop-command': {
    readonly accepted: AcceptedSpec;
    readonly argv: readonly [string, ...string[]];
  };
  /** `cgroup.kill`. */
  readonly kill: Record<never, never>;
  /** Change the limits of what runs. */
  readonly limit: { readonly resources: Resources };
  /** Read on in the output of a service that was started by an earlier daemon, or keep it otherwise. */
  readonly 'capture-logs': { readonly spec: ServiceSpec; readonly runNumber: number };
  /** Remove the empty cgroup. */
  readonly 'remove-cgroup': Record<never, never>;
  /** Remove what the runtime directory holds of a service that is no longer defined. */
  readonly forget: Record<never, never>;
}

export type ActionKind = keyof ActionArguments;

/** One idempotent step, with the reason it is taken, in words. */
export type Action<K extends ActionKind = ActionKind> = {
  [P in K]: { readonly kind: P; readonly reason: string } & ActionArguments[P];
}[K];

/**
 * One executor per kind of action. Total: a new action without one does not compile. An actuator is
 * idempotent (already-so is success), decides nothing, throws a `ProcessmasterError` when it could
 * not, and returns what it learned.
 */
export type Actuators = {
  readonly [K in ActionKind]: (name: ServiceName, action: Action<K>) => Promise<readonly Fact[]>;
};
