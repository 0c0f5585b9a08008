import type { Instant } from '../lib/clock.ts';
import type { Action } from '../model/action.ts';
import type { DesiredService } from '../model/desired.ts';
import type { EnvironmentReading } from '../model/environment-reading.ts';
import type { History } from '../model/history.ts';
import type { Intent } from '../model/intent.ts';
import type { Observation } from '../model/observation.ts';
import type { Wanted } from '../model/state.ts';
import type { Condition } from '../model/status.ts';

/** All that a plan is made from. */
export interface PlanInput {
  readonly desired: DesiredService | null;
  /** The one in force, see intentInForce(). */
  readonly intent: Intent | null;
  readonly observation: Observation;
  /** What the files that its environment is made from say; `null`: there are none, or not known yet. */
  readonly environment: EnvironmentReading | null;
  /** Already settled, see settle.ts. */
  readonly history: History;
  readonly shuttingDown: boolean;
  /** Tells this host from others, for the jitter of jobs. */
  readonly hostId: string;
}

/** What to do now, when to look again at the latest, and what is true. */
export interface Plan {
  readonly actions: readonly Action[];
  /** `null`: nothing is due until something happens. */
  readonly requeueAfterMs: number | null;
  readonly conditions: readonly Condition[];
}

/** What the branches of a plan need to know. */
export interface Situation extends PlanInput {
  readonly wanted: Wanted;
  readonly now: Instant;
}
