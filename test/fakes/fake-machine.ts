import { isDeepStrictEqual } from 'node:util';
import type { Action, Actuators } from '../../src/model/action.ts';
import type { Exit, History } from '../../src/model/history.ts';
import { EMPTY_HISTORY } from '../../src/model/history.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { SlotRecord } from '../../src/model/job-progress.ts';
import { logSettingsOf } from '../../src/model/log-settings.ts';
import type { CgroupObservation, Observation } from '../../src/model/observation.ts';
import type { Resources } from '../../src/model/resources.ts';
import type { ServiceName } from '../../src/model/service-name.ts';
import type { LogSettings } from '../../src/model/service-spec.ts';
import type { ReconcilePorts } from '../../src/reconciler/reconcile-ports.ts';
import type { FakeClock } from './fake-clock.ts';

/** How the processes of a simulated service behave. */
export interface Temper {
  /** Time from launch until it is in its cgroup. */
  readonly joinMs: number;
  /** Ends by itself this long after it joined; null: never. */
  readonly livesMs: number | null;
  readonly exitCode: number;
  /** Time from SIGTERM to its end; null: ignores it. */
  readonly obeysAfterMs: number | null;
  /** A start fails before any process exists. */
  readonly cannotStart: boolean;
}

const WILLING: Temper = {
  joinMs: 5,
  livesMs: null,
  exitCode: 0,
  obeysAfterMs: 20,
  cannotStart: false,
};

interface Process {
  readonly pid: number;
  readonly runNumber: number;
  joined: boolean;
  readonly temper: Temper;
}

interface Simulated {
  hasCgroup: boolean;
  process: Process | null;
  launcherAlive: boolean;
  capturedRun: number | null;
  /** As this daemon wrote them. */
  resources: Resources | null;
  logSettings: LogSettings | null;
}

/**
 * A host in memory: cgroups, processes that take time to join, end and obey. It fails the test by
 * itself when a second run of a service is launched while one is there.
 */
export class FakeMachine {
  readonly #clock: FakeClock;
  readonly #services = new Map<ServiceName, Simulated>();
  readonly #tempers = new Map<ServiceName, Temper>();
  readonly intents = new Map<ServiceName, Intent>();
  readonly histories = new Map<ServiceName, History>();
  readonly actions: string[] = [];
  readonly events: string[] = [];
  readonly violations: string[] = [];
  /** What was decided on slots of jobs, in order. */
  readonly slots: (SlotRecord & { readonly name: ServiceName })[] = [];
  /** Tells the loop that something changed; a silent machine tells nobody. */
  onChange: (name: ServiceName) => void = () => {};
  onExit: (name: ServiceName, runNumber: number, exit: Exit) => void = () => {};
  /** What `observe` says instead of the truth, while set. */
  unreadable = false;
  #nextPid = 100;
  readonly #told = new WeakSet<SlotRecord>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  setTemper(name: ServiceName, temper: Partial<Temper>): void {
    this.#tempers.set(name, { ...WILLING, ...temper });
  }

  isRunning(name: ServiceName): boolean {
    return this.#services.get(name)?.process?.joined === true;
  }

  pid(name: ServiceName): number | null {
    return this.#services.get(name)?.process?.pid ?? null;
  }

  hasCgroup(name: ServiceName): boolean {
    return this.#services.get(name)?.hasCgroup === true;
  }

  /** The main process dies now, by a signal that is not ours. */
  crash(name: ServiceName): void {
    const process = this.#services.get(name)?.process;
    if (process?.joined) this.#end(name, process, { kind: 'signaled', signal: 'SIGKILL' });
  }

  /** The ports of a new daemon on this machine; children of an earlier daemon are not its own. */
  ports(): ReconcilePorts {
    for (const service of this.#services.values()) {
      service.launcherAlive = false;
      service.capturedRun = null;
      service.resources = null;
    }
    return {
      clock: this.#clock,
      random: () => 0.5,
      hostId: 'host',
      observe: (name, history) => this.#observe(name, history),
      isUnchanged: (name, shown) =>
        isDeepStrictEqual(this.#observe(name, EMPTY_HISTORY).cgroup, shown),
      watch: () => {},
      intentOf: (name) => this.intents.get(name) ?? null,
      environmentOf: () => null,
      intentOver: (name) => this.intents.delete(name),
      actuators: this.#actuators(),
      canLaunch: async () => {},
      loadHistory: (name) => this.histories.get(name) ?? EMPTY_HISTORY,
      saveHistory: (name, history) => {
        const last = history.job?.last ?? null;
        const isNew = last !== (this.histories.get(name)?.job?.last ?? null);
        this.histories.set(name, history);
        if (isNew && last !== null && last.run !== null) this.#decided(name, last);
      },
      flushHistory: () => {},
      emit: (event) => this.events.push(`${event.service} ${event.kind}`),
      forgotten: (name) => this.intents.delete(name),
    };
  }

  #actuators(): Actuators {
    const noted =
      <A extends Action>(act: (name: ServiceName, action: A) => void) =>
      async (name: ServiceName, action: A) => {
        this.actions.push(`${action.kind} ${name}`);
        act(name, action);
        return [];
      };
    return {
      provision: noted(() => {}),
      start: async (name, action) => {
        this.actions.push(`start ${name}`);
        return this.#start(name, action);
      },
      signal: noted((name) => this.#terminate(name)),
      'stop-command': noted((name) => this.#terminate(name)),
      limit: noted((name, { resources }: Action<'limit'>) => {
        this.#service(name).resources = resources;
      }),
      kill: noted((name) => this.#kill(name)),
      'capture-logs': noted((name, action: Action<'capture-logs'>) => {
        this.#service(name).capturedRun = action.runNumber;
        this.#service(name).logSettings = logSettingsOf(action.spec);
      }),
      'record-slots': noted((name, action: Action<'record-slots'>) => {
        for (const slot of action.slots) this.#decided(name, slot);
      }),
      'remove-cgroup': noted((name) => {
        if (this.isRunning(name)) this.violations.push(`${name}: a populated cgroup was removed`);
        this.#service(name).hasCgroup = false;
      }),
      forget: noted((name) => {
        if (this.#service(name).process !== null)
          this.violations.push(`${name}: forgotten while it runs`);
        this.histories.delete(name);
      }),
    };
  }

  /** Told with the action, and again with the history. */
  #decided(name: ServiceName, slot: SlotRecord): void {
    if (this.#told.has(slot)) return;
    this.#told.add(slot);
    this.slots.push({ name, ...slot });
  }

  #start(name: ServiceName, { accepted, runNumber }: Action<'start'>) {
    const service = this.#service(name);
    const temper = this.#tempers.get(name) ?? WILLING;
    if (temper.cannotStart) throw new Error('no such file');
    if (service.process !== null) this.violations.push(`${name}: two runs at once`);
    const process: Process = { pid: this.#nextPid++, runNumber, joined: false, temper };
    Object.assign(service, {
      hasCgroup: true,
      process,
      launcherAlive: true,
      capturedRun: runNumber,
      resources: accepted.spec.resources,
      logSettings: logSettingsOf(accepted.spec),
    });
    this.#after(temper.joinMs, () => this.#join(name, process));
    const main = { pid: process.pid, startTicks: process.pid };
    return [{ kind: 'launched', runNumber, main } as const];
  }

  #join(name: ServiceName, process: Process): void {
    process.joined = true;
    this.onChange(name);
    const { livesMs, exitCode } = process.temper;
    if (livesMs !== null) {
      this.#after(livesMs, () => this.#end(name, process, { kind: 'exited', code: exitCode }));
    }
  }

  #terminate(name: ServiceName): void {
    const process = this.#service(name).process;
    if (process === null || process.temper.obeysAfterMs === null) return;
    const signal: Exit = { kind: 'signaled', signal: 'SIGTERM' };
    this.#after(process.temper.obeysAfterMs, () => this.#end(name, process, signal));
  }

  #kill(name: ServiceName): void {
    const process = this.#service(name).process;
    if (process?.joined)
      this.#after(1, () => this.#end(name, process, { kind: 'signaled', signal: 'SIGKILL' }));
  }

  #end(name: ServiceName, process: Process, exit: Exit): void {
    const service = this.#service(name);
    if (service.process !== process) return;
    service.process = null;
    this.onChange(name);
    if (!service.launcherAlive) return;
    // The cgroup's event comes before the exit is reported.
    this.#after(1, () => {
      service.launcherAlive = false;
      this.onExit(name, process.runNumber, exit);
    });
  }

  #observe(name: ServiceName, history: History): Observation {
    const service = this.#service(name);
    return {
      cgroup: this.unreadable ? { kind: 'unknown', reason: 'EIO' } : cgroupOf(service),
      launcherAlive: service.launcherAlive || service.process?.joined === false,
      stopCommandRuns: false,
      leader: null,
      provisioning: 'none',
      limits: service.resources && { resources: service.resources, refused: [] },
      logsCaptured: history.run !== null && service.capturedRun === history.run.number,
      logSettings: service.logSettings,
    };
  }

  #service(name: ServiceName): Simulated {
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    const made = {
      hasCgroup: false,
      process: null,
      launcherAlive: false,
      capturedRun: null,
      resources: null,
      logSettings: null,
    };
    this.#services.set(name, made);
    return made;
  }

  #after(delayMs: number, callback: () => void): void {
    this.#clock.schedule(delayMs, callback);
  }
}

function cgroupOf({ hasCgroup, process }: Simulated): CgroupObservation {
  if (!hasCgroup) return { kind: 'absent' };
  return process?.joined ? { kind: 'populated', pids: [process.pid] } : { kind: 'empty' };
}
