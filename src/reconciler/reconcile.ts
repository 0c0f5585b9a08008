import { isDeepStrictEqual } from 'node:util';
import { type Instant, readInstant } from '../lib/clock.ts';
import { type ErrorCode, messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { Action, ActionKind, Actuators } from '../model/action.ts';
import type { DesiredService } from '../model/desired.ts';
import type { ContentChange, EnvironmentReading } from '../model/environment-reading.ts';
import { applyFact, type Fact } from '../model/fact.ts';
import { type History, hasActiveRun } from '../model/history.ts';
import { intentInForce } from '../model/intent.ts';
import type { Observation } from '../model/observation.ts';
import type { ServiceName } from '../model/service-name.ts';
import { type Condition, phaseOf, type ServiceStatus } from '../model/status.ts';
import { announce } from './announce.ts';
import type { Outlook } from './blast-radius.ts';
import { changedContent } from './changed-content.ts';
import { plan } from './plan.ts';
import type { ReconcilePorts } from './reconcile-ports.ts';
import {
  actionEvent,
  failureEvent,
  intentExpiredEvent,
  transitionEvents,
} from './service-events.ts';
import { settle } from './settle.ts';
import type { Plan, PlanInput } from './situation.ts';
import { StartQueue } from './start-queue.ts';
import type { Store } from './store.ts';

/** Result of a pass: when to look again at the latest, `null` for never. */
export interface Pass {
  readonly requeueAfterMs: number | null;
}

/** What a pass read. */
interface Reading extends PlanInput {
  readonly name: ServiceName;
}

interface Failure {
  readonly action: Action;
  readonly error: unknown;
}

/** After a start of which nothing was heard. */
const UNHEARD_MS = 50;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

/**
 * One pass over one service: read, settle, plan, act, write the status.
 *
 * INVARIANTS: this is the only place that runs actions and the only one that turns their errors into
 * a condition, an event and a delayed retry; what is about to be done is recorded before it is done;
 * it never waits for a process.
 */
export class Reconciler {
  readonly #store: Store;
  readonly #ports: ReconcilePorts;
  readonly #failedAttempts = new Map<ServiceName, number>();
  /** What the last pass did, and how often it had been done just before. */
  readonly #lastDone = new Map<ServiceName, { readonly done: string; readonly times: number }>();
  readonly #starts = new StartQueue();
  #shuttingDown = false;

  constructor(store: Store, ports: ReconcilePorts) {
    this.#store = store;
    this.#ports = ports;
  }

  /** Whether more is to be started than may be at once. */
  get hasStartsWaiting(): boolean {
    return this.#starts.hasWaiting;
  }

  /** From now on every service is wanted stopped. */
  shutDown(): void {
    this.#shuttingDown = true;
  }

  /** Records a fact; the caller enqueues the name. */
  record(name: ServiceName, fact: Fact): void {
    this.#updateHistory(name, applyFact(this.#history(name), fact));
  }

  async reconcile(name: ServiceName): Promise<Pass> {
    const reading = this.#read(name);
    const planned = plan(reading, readInstant(this.#ports.clock));
    this.#writeStatus(reading, planned.conditions);
    const failure = await this.#act(name, planned);
    if (failure !== null) return this.#retryLater(reading, planned, failure);
    this.#failedAttempts.delete(name);
    if (planned.actions.some((action) => action.kind === 'forget')) return this.#forget(name);
    return { requeueAfterMs: this.#lookAgainAfterMs(name, planned) };
  }

  /**
   * What was done changed what is to be observed: look at once (soon, after a start), then wait as
   * planned. Where the very same is planned again and again, doing it does not help: it is repeated
   * ever later.
   */
  #lookAgainAfterMs(name: ServiceName, { actions, requeueAfterMs }: Plan): number | null {
    const done = actions.map((action) => action.kind).join();
    const last = this.#lastDone.get(name);
    if (done === '') {
      this.#lastDone.delete(name);
      return requeueAfterMs;
    }
    const times = last?.done === done ? last.times + 1 : 0;
    this.#lastDone.set(name, { done, times });
    if (times > 0) return retryDelayMs(times);
    const isStarted = actions.some(({ kind }) => kind === 'start');
    // What was started is heard of as soon as it is there; what could not be is there to be seen.
    return isStarted && this.#history(name).launchedExit === null ? UNHEARD_MS : 0;
  }

  /** What a pass would show now. Changes nothing, does nothing. */
  inspect(name: ServiceName): ServiceStatus {
    const now = readInstant(this.#ports.clock);
    const reading = this.#settled(this.#observed(name, now), now);
    return statusOf(reading, plan(reading, now).conditions);
  }

  /** What a pass would plan if that were desired (`null`: nothing any more). Does nothing. */
  foresee(
    name: ServiceName,
    desired: DesiredService | null,
    environment: EnvironmentReading | null,
  ): Outlook {
    const now = readInstant(this.#ports.clock);
    // A service that is not known yet must not become known by being looked at.
    const history = this.#store.history(name) ?? this.#ports.loadHistory(name);
    const observed = this.#observed(name, now, { history, desired });
    const reading = this.#settled({ ...observed, environment }, now);
    const runs = hasActiveRun(reading.history);
    return { ...plan(reading, now), runs, changedContent: changedContent(reading) };
  }

  /** What the files say otherwise that the environment of what runs was made from. */
  changedContent(name: ServiceName): ContentChange['sources'] {
    const history = this.#store.history(name);
    if (history === null || !hasActiveRun(history)) return [];
    const environment = this.#ports.environmentOf(name);
    return changedContent({ desired: this.#store.desiredOf(name), environment, history });
  }

  #read(name: ServiceName): Reading {
    const now = readInstant(this.#ports.clock);
    this.#dropExpiredIntent(name, now);
    const observed = this.#observed(name, now);
    const reading = this.#settled(observed, now);
    this.#updateHistory(name, reading.history);
    if (reading.observation.cgroup.kind === 'populated') this.#ports.watch(name);
    const shown = this.#store.status(name)?.history ?? observed.history;
    for (const event of transitionEvents(name, shown, reading.history, now))
      this.#ports.emit(event);
    return reading;
  }

  /** Removed first, then told: a crash in between must not tell it twice. */
  #dropExpiredIntent(name: ServiceName, now: Instant): void {
    const intent = this.#ports.intentOf(name);
    if (intent === null || intentInForce(intent, now.monotonicMs) !== null) return;
    this.#ports.intentOver(name);
    this.#ports.emit(intentExpiredEvent(name, intent, now.wallMs));
  }

  #observed(
    name: ServiceName,
    now: Instant,
    {
      history = this.#history(name),
      desired = this.#store.desiredOf(name),
    }: Partial<Pick<Reading, 'history' | 'desired'>> = {},
  ): Reading {
    return {
      name,
      desired,
      intent: intentInForce(this.#ports.intentOf(name), now.monotonicMs),
      observation: this.#ports.observe(name, history, desired?.accepted?.spec ?? null),
      environment: this.#ports.environmentOf(name),
      history,
      shuttingDown: this.#shuttingDown,
      hostId: this.#ports.hostId,
    };
  }

  #settled(reading: Reading, now: Instant): Reading {
    return { ...reading, history: settle(reading, now, this.#ports.random()) };
  }

  /** Carries out a plan's actions in order; the first that fails ends the pass. */
  async #act(name: ServiceName, planned: Plan): Promise<Failure | null> {
    for (const action of planned.actions) {
      try {
        await this.#performInTurn(name, action);
      } catch (error) {
        return { action, error };
      }
    }
    return null;
  }

  async #performInTurn(name: ServiceName, action: Action): Promise<void> {
    if (action.kind !== 'start') return this.#perform(name, action);
    await this.#starts.run(action.accepted.spec.job !== null, async () => {
      // The daemon's end may have come while it waited.
      if (!this.#shuttingDown) await this.#perform(name, action);
    });
  }

  async #perform(name: ServiceName, action: Action): Promise<void> {
    if (action.kind === 'start') await this.#ports.canLaunch();
    const now = readInstant(this.#ports.clock);
    const before = this.#history(name);
    const countProcesses = () => countPids(this.#ports.observe(name, before, null));
    const announced = announce(action, countProcesses, now);
    if (announced !== null) this.record(name, announced);
    const event = actionEvent(name, action, now.wallMs);
    if (event !== null) this.#ports.emit(event);
    if (action.kind === 'start') await this.#start(name, action, before);
    else if (action.kind === 'stop-command') await this.#runStopCommand(name, action);
    else await this.#run(name, action);
    if (action.kind === 'signal') this.#recordAsked(name);
  }

  /** A stop command that cannot be run is no reason to wait: the next pass sends a signal instead. */
  async #runStopCommand(name: ServiceName, action: Action<'stop-command'>): Promise<void> {
    try {
      await this.#run(name, action);
      this.#recordAsked(name);
    } catch (error) {
      this.record(name, { kind: 'stop-command-failed' });
      const message = `the stop command cannot be run, a signal is sent: ${messageOf(error)}`;
      this.#ports.emit(failureEvent(name, message, this.#ports.clock.wallMs()));
    }
  }

  #recordAsked(name: ServiceName): void {
    const atMonotonicMs = this.#ports.clock.monotonicMs();
    this.record(name, { kind: 'stop-asked', atMonotonicMs });
    // The next daemon must not ask again: for some, being asked twice means at once.
    this.#ports.flushHistory(name);
  }

  /**
   * A start that nobody was asked for is none. One that cannot happen is the end of that run, and goes
   * through the backoff like a crash.
   */
  async #start(name: ServiceName, action: Action<'start'>, before: History): Promise<void> {
    const { runNumber } = action;
    try {
      await this.#run(name, action);
    } catch (error) {
      if (isCode(error, 'withdrawn')) {
        this.record(name, { kind: 'launch-withdrawn', runNumber, before });
        throw error;
      }
      // Nobody knows whether it was launched: the kernel will tell.
      if (isCode(error, 'unreachable')) throw error;
      const stage = error instanceof ProcessmasterError ? (error.stage ?? 'launch') : 'launch';
      const exit = { kind: 'launch_failed', stage, message: messageOf(error) } as const;
      const at = readInstant(this.#ports.clock);
      this.record(name, { kind: 'launched-exit', runNumber, exit, at });
    }
  }

  async #run(name: ServiceName, action: Action): Promise<void> {
    // What is only recorded can be recorded again: those come before a start, and are written with it.
    if (action.kind !== 'record-slots') this.#ports.flushHistory(name);
    for (const fact of await actuate(this.#ports.actuators, name, action)) this.record(name, fact);
  }

  #retryLater(reading: Reading, planned: Plan, failure: Failure): Pass {
    const { name } = reading;
    const attempts = (this.#failedAttempts.get(name) ?? 0) + 1;
    this.#failedAttempts.set(name, attempts);
    const message = `${failure.action.kind}: ${messageOf(failure.error)}`;
    this.#writeStatus(reading, [...planned.conditions, { type: 'ActionFailed', message }]);
    // Said once, not with every try: the condition stays in sight.
    if (attempts === 1) this.#ports.emit(failureEvent(name, message, this.#ports.clock.wallMs()));
    return { requeueAfterMs: retryDelayMs(attempts) };
  }

  #writeStatus(reading: Reading, conditions: readonly Condition[]): void {
    const status = statusOf(reading, conditions);
    const shown = this.#store.status(reading.name);
    if (shown === null || !isDeepStrictEqual(shown, status)) this.#store.setStatus(status);
  }

  #history(name: ServiceName): History {
    const known = this.#store.history(name);
    if (known !== null) return known;
    const loaded = this.#ports.loadHistory(name);
    this.#store.setHistory(name, loaded);
    return loaded;
  }

  #updateHistory(name: ServiceName, history: History): void {
    if (this.#store.history(name) === history) return;
    this.#store.setHistory(name, history);
    this.#ports.saveHistory(name, history);
  }

  #forget(name: ServiceName): Pass {
    this.#lastDone.delete(name);
    this.#store.remove(name);
    this.#ports.forgotten(name);
    return { requeueAfterMs: null };
  }
}

function countPids({ cgroup }: Observation): number {
  return cgroup.kind === 'populated' ? cgroup.pids.length : 0;
}

function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof ProcessmasterError && error.code === code;
}

/** Doubling from a quarter of a second for the first retry up to half a minute. */
function retryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS);
}

function statusOf(reading: Reading, conditions: readonly Condition[]): ServiceStatus {
  const { name, desired, intent, history, observation } = reading;
  const phase = phaseOf(conditions);
  return { name, phase, conditions, desired, intent, history, cgroup: observation.cgroup };
}

/** Runs the executor of an action. */
function actuate<K extends ActionKind>(actuators: Actuators, name: ServiceName, action: Action<K>) {
  const executor: (name: ServiceName, action: Action<K>) => Promise<readonly Fact[]> =
    actuators[action.kind];
  return executor(name, action);
}
