import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { adoptedState, type DesiredState } from '../model/desired.ts';
import type { ContentChange, EnvironmentReading } from '../model/environment-reading.ts';
import type { ServiceEvent } from '../model/event.ts';
import type { Fact } from '../model/fact.ts';
import { hasActiveRun } from '../model/history.ts';
import type { ServiceChange } from '../model/service-change.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { ServiceStatus } from '../model/status.ts';
import { blastRadius } from './blast-radius.ts';
import { desiredEvents } from './desired-events.ts';
import { Reconciler } from './reconcile.ts';
import type { ReconcilePorts } from './reconcile-ports.ts';
import { failureEvent } from './service-events.ts';
import type { Store } from './store.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * Lanes that work at once. Far more than the cores: a lane that waits for a freeze, a disk or a name
 * service must not hold up the others, and what many record at the same time is one wait for the disk.
 * (How many start at once is bounded by the reconciler.)
 */
const LANES = 4_096;

const RETRY_AFTER_DEFECT_MS = 5_000;

/** How long the end of a job's run waits for others to begin before it is considered again. */
const END_WAITS_MS = 250;

/**
 * Drives the loop: names in, passes out.
 *
 * INVARIANTS: nothing is reconciled before the first desired state is complete (absence must be
 * earned); every way in only makes a name due.
 */
export class Controller {
  readonly #store: Store;
  readonly #reconciler: Reconciler;
  readonly #queue: WorkQueue;
  readonly #clock: Clock;
  readonly #emit: (event: ServiceEvent) => void;
  readonly #isUnchanged: ReconcilePorts['isUnchanged'];
  #synced = false;

  constructor(store: Store, ports: ReconcilePorts) {
    this.#store = store;
    this.#clock = ports.clock;
    this.#emit = ports.emit;
    this.#isUnchanged = ports.isUnchanged;
    this.#reconciler = new Reconciler(store, ports);
    this.#queue = new WorkQueue(
      ports.clock,
      LANES,
      (name) => this.#pass(name),
      // Thousands of jobs may be due at the same minute; what runs all the time does not wait for them.
      (name) => !store.desiredOf(name)?.accepted?.spec.job,
    );
  }

  /**
   * The specs that earlier daemons had in force: the state that the first desired state is compared
   * with. Nothing is reconciled by it.
   */
  adopt(inForce: ReadonlyMap<ServiceName, AcceptedSpec>): void {
    this.#store.setDesired(adoptedState(inForce));
  }

  /** Takes over a complete desired state; `known` are names that are due although it is unchanged. */
  applyDesired(desired: DesiredState, known: readonly ServiceName[] = []): void {
    const before = this.#store.desired;
    const changed = this.#store.setDesired(desired);
    for (const event of desiredEvents(before, desired, this.#clock.wallMs())) this.#emit(event);
    this.#synced = true;
    for (const name of new Set([...changed, ...known])) this.#queue.add(name);
  }

  /** Makes a name due: its cgroup, its intent or its source may have changed. */
  enqueue(name: ServiceName): void {
    if (this.#synced) this.#queue.add(name);
  }

  /** Makes every known name due. */
  enqueueAll(): void {
    for (const name of this.#store.names()) this.enqueue(name);
  }

  /** Records what happened once, then makes the name due. */
  record(name: ServiceName, fact: Fact): void {
    this.#reconciler.record(name, fact);
    this.enqueue(name);
  }

  /**
   * The status as of this moment: processes come and go in a cgroup without a signal. A difference
   * to what is shown makes the name due. `null` for a name that nothing is known of.
   */
  inspect(name: ServiceName): ServiceStatus | null {
    const shown = this.#store.status(name);
    if (shown === null) return null;
    if (this.#isUnchanged(name, shown.cgroup)) return shown;
    this.enqueue(name);
    return this.#reconciler.inspect(name);
  }

  /**
   * What would become of the services if that were desired, and files that environments are made from
   * said that. Changes nothing.
   */
  foresee(
    desired: DesiredState,
    environments: ReadonlyMap<ServiceName, EnvironmentReading>,
  ): readonly ServiceChange[] {
    return blastRadius(this.#store.desired, desired, (name, service) =>
      this.#reconciler.foresee(name, service, environments.get(name) ?? null),
    );
  }

  /** Which of these services run with what a file that their environment is made from no longer says. */
  contentChanges(names: readonly ServiceName[]): readonly ContentChange[] {
    return names.flatMap((name) => {
      const sources = this.#reconciler.changedContent(name);
      return sources.length === 0 ? [] : [{ name, sources }];
    });
  }

  /** In how many milliseconds the name is looked at by itself; `null` when nothing is due. */
  nextLookMs(name: ServiceName): number | null {
    const dueMs = this.#queue.dueMs(name);
    return dueMs === null ? null : Math.max(dueMs - this.#clock.monotonicMs(), 0);
  }

  /** Wants every service stopped; the caller waits for the store to say so. */
  shutDown(): void {
    this.#reconciler.shutDown();
    this.enqueueAll();
  }

  /** Ends the loop; what is being worked on is finished. */
  async stop(): Promise<void> {
    this.#queue.stop();
    await this.#queue.idle();
  }

  /** While jobs wait to be begun, the ends of others are not looked at: their minute has come. */
  #canWait(name: ServiceName): boolean {
    if (!this.#reconciler.hasStartsWaiting) return false;
    const history = this.#store.history(name);
    return history?.job != null && hasActiveRun(history) && history.launchedExit !== null;
  }

  async #pass(name: ServiceName): Promise<void> {
    if (this.#canWait(name)) return this.#queue.addAfter(name, END_WAITS_MS);
    try {
      const { requeueAfterMs } = await this.#reconciler.reconcile(name);
      if (requeueAfterMs === 0) this.#queue.add(name);
      else if (requeueAfterMs !== null) this.#queue.addAfter(name, requeueAfterMs);
    } catch (error) {
      // A defect of ours in one lane must neither end the loop nor spin it.
      const message = `internal error: ${messageOf(error)}`;
      this.#emit(failureEvent(name, message, this.#clock.wallMs()));
      this.#queue.addAfter(name, RETRY_AFTER_DEFECT_MS);
    }
  }
}
