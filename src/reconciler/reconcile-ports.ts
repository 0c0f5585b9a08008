import type { Clock } from '../lib/clock.ts';
import type { Actuators } from '../model/action.ts';
import type { EnvironmentReading } from '../model/environment-reading.ts';
import type { ServiceEvent } from '../model/event.ts';
import type { History } from '../model/history.ts';
import type { Intent } from '../model/intent.ts';
import type { CgroupObservation, Observation } from '../model/observation.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceSpec } from '../model/service-spec.ts';

/** Everything outside the core that a pass needs. */
export interface ReconcilePorts {
  readonly clock: Clock;
  /** In [0, 1): the jitter of the backoff. */
  readonly random: () => number;
  /** Tells this host from others, for the jitter of jobs. */
  readonly hostId: string;
  /** Reads; must not throw: what cannot be read is `unknown`. */
  readonly observe: (
    name: ServiceName,
    history: History,
    /** The accepted one: what its provisioning is about. */
    spec: ServiceSpec | null,
  ) => Observation;
  /** Whether what is shown of a service's cgroup is still so; a cheaper look than to observe it. */
  readonly isUnchanged: (name: ServiceName, shown: CgroupObservation) => boolean;
  /** Makes sure that changes of the service's cgroup enqueue its name. */
  readonly watch: (name: ServiceName) => void;
  readonly intentOf: (name: ServiceName) => Intent | null;
  /** What the files that its environment is made from say, as far as they were looked at. */
  readonly environmentOf: (name: ServiceName) => EnvironmentReading | null;
  /** The time of its intent is over: it is removed for good. */
  readonly intentOver: (name: ServiceName) => void;
  readonly actuators: Actuators;
  /**
   * Resolves when a start can be carried out, soon.
   * @throws ProcessmasterError after a while: then nothing of a start is recorded, and it is retried
   */
  readonly canLaunch: () => Promise<void>;
  /** What earlier daemons left written of a service that this one has not met yet. */
  readonly loadHistory: (name: ServiceName) => History;
  /** Keeps it beside the run, for the next daemon: written in a moment at the latest, or with a flush. */
  readonly saveHistory: (name: ServiceName, history: History) => void;
  /** Has what was saved of a service written by now. */
  readonly flushHistory: (name: ServiceName) => void;
  readonly emit: (event: ServiceEvent) => void;
  /** The service is gone for good: forget its intent, too. */
  readonly forgotten: (name: ServiceName) => void;
}
