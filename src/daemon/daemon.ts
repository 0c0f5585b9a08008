import { join } from 'node:path';
import { AdminActions } from '../actuators/admin-actions.ts';
import { limitInstance } from '../actuators/instance-limits.ts';
import { setFrozen } from '../host/cgroup.ts';
import { resolveCgroupRoot } from '../host/cgroup-mount.ts';
import { CgroupTree } from '../host/cgroup-tree.ts';
import { acquireInstanceLock, type InstanceLock } from '../host/instance-lock.ts';
import { ownDirectory } from '../host/own-directory.ts';
import { bootId } from '../host/process-info.ts';
import { HistoryFiles } from '../journal/history-files.ts';
import { Journal } from '../journal/journal.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { DaemonConfig } from '../model/daemon-config.ts';
import type { DesiredState } from '../model/desired.ts';
import type { ServiceEvent } from '../model/event.ts';
import type { Actor } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';
import { listCgroupNames } from '../observers/relist.ts';
import { DefinitionWriter } from '../sources/definition-writer.ts';
import { removeLeftoverEdits } from '../sources/leftover-edits.ts';
import { type Inheritance, SourceSet } from '../sources/source-set.ts';
import { allStopped } from './all-stopped.ts';
import { type ApiServer, startApi } from './api-server.ts';
import { DegradedWatches } from './degraded-watches.ts';
import { refreshEnvironments } from './environment-changes.ts';
import { environmentKey } from './environment-key.ts';
import { EventStream } from './event-stream.ts';
import { Lookout } from './lookout.ts';
import { createMachinery, type Machinery } from './machinery.ts';
import { collectGarbage, trimMemoryAfterBursts } from './memory-trim.ts';
import { loadOperatorState, type OperatorState, strayFlagNames } from './operator-state.ts';
import { OwnMetrics } from './own-metrics.ts';
import { instanceOf } from './preflight.ts';
import { type RestartPlan, RestartRequest } from './restart-request.ts';
import { keepWithinBounds } from './retention.ts';
import { SavedHistories } from './saved-history.ts';
import { endServiceKeeper } from './service-keeper.ts';
import { sourcesOf } from './sources-of.ts';
import { SpecsInForce } from './specs-in-force.ts';
import type { CommandLine } from './successor.ts';
import { WebConsole } from './web-console.ts';

/** So many services at the start that a clean heap pays. */
const MANY = 100;
/** How long a restart of the daemon waits for stop commands. */
const STOP_COMMANDS_MS = 10_000;
/** Provisioning that is given up ends its helper first, whose zombie the next image could not reap. */
const PROVISIONING_MS = 10_000;

export interface DaemonOptions {
  readonly config: DaemonConfig;
  readonly clock: Clock;
  /** Where events go besides the journal: the daemon's log. */
  readonly onEvent: (event: ServiceEvent) => void;
  /** How to start what takes this daemon's place. */
  readonly commandLine: CommandLine;
  /** A restart was asked for and can be carried out: {@link Daemon.handOver}, then the next image. */
  readonly onReplaceable: () => void;
}

/**
 * The whole daemon, wired together; the only place that knows every part.
 *
 * INVARIANTS: the lock is held from before the first file is touched until after the last; no service
 * is started or adopted before the socket is ours.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #lock: InstanceLock;
  readonly #tree: CgroupTree;
  readonly #journal: Journal;
  readonly #events: EventStream;
  readonly #histories: SavedHistories;
  readonly #machinery: Machinery;
  readonly #definitions: DefinitionWriter;
  readonly #sources: SourceSet;
  readonly #lookout: Lookout;
  readonly #running: readonly ServiceName[];
  readonly #operators: OperatorState;
  readonly #specs: SpecsInForce;
  /** Of the daemon and all services together. */
  #limitTroubles: readonly string[] = [];
  readonly #unavailable = new Set<string>();
  readonly #watches = new DegradedWatches((kind, message) => this.#say(kind, message));
  readonly #metrics = new OwnMetrics();
  #api: ApiServer | null = null;
  #console: WebConsole | null = null;
  readonly #restart: RestartRequest;
  #shuttingDown = false;
  #cancelPrune: () => void = () => {};
  #stopTrimming: () => void = () => {};

  /**
   * Takes hold of the instance: lock, cgroup, journal.
   * @throws ProcessmasterError `conflict` when another daemon holds it, `invalid_config`, `io`
   */
  constructor(options: DaemonOptions) {
    const { config, clock } = options;
    this.#options = options;
    ownDirectory(config.runtimeDirectory, 0o755);
    this.#lock = acquireInstanceLock(join(config.runtimeDirectory, 'daemon.lock'));
    const root = resolveCgroupRoot(config.cgroup.root, config.cgroup.name);
    this.#tree = CgroupTree.open({ ...config.cgroup, root });
    const { maxAgeMs, maxBytes } = config.journal;
    this.#journal = Journal.open(config.stateDirectory, { maxAgeMs, maxBytes, clock });
    this.#events = new EventStream(this.#journal, options.onEvent);
    this.#events.subscribe((event) => this.#metrics.counts.noteEvent(event));
    const emit = (event: ServiceEvent) => this.#events.emit(event);
    const servicesDirectory = join(config.runtimeDirectory, 'services');
    ownDirectory(servicesDirectory, 0o700);
    const boot = bootId();
    this.#histories = new SavedHistories({
      files: new HistoryFiles({
        directory: servicesDirectory,
        onTrouble: (message) => this.#say('state.warning', message),
      }),
      journal: this.#journal,
      bootId: boot,
      clock,
      onSlots: (name, slots) => this.#metrics.counts.noteSlots(name, slots),
      onTrouble: (reason) =>
        reason === null
          ? this.#say('state.recovered', 'what runs is recorded again')
          : this.#say('state.warning', reason),
    });
    this.#operators = loadOperatorState({ journal: this.#journal, bootId: boot, clock, emit });
    const { intents, flags } = this.#operators;
    const runtimeDirectory = config.runtimeDirectory;
    this.#machinery = createMachinery({
      clock,
      tree: this.#tree,
      runtimeDirectory,
      stateDirectory: config.stateDirectory,
      maxTotalLogBytes: config.logs.maxTotalBytes,
      histories: this.#histories,
      intents,
      flags,
      emit,
      onForgotten: (name) => this.#metrics.counts.forget(name),
      environmentKey: environmentKey(config.stateDirectory, (reason) =>
        this.#say('state.warning', reason),
      ),
      onDegraded: (reason) => this.#watches.note('cgroups', reason),
    });
    const found = this.#histories.loadAll();
    this.#specs = new SpecsInForce(this.#journal);
    const inherited = this.#specs.inherit(found);
    const { baseline } = inherited;
    this.#running = [...new Set([...found.keys(), ...listCgroupNames(this.#tree)])];
    this.#machinery.controller.adopt(baseline);
    const known = [...this.#running, ...baseline.keys()];
    this.#definitions = new DefinitionWriter({ clock, emit });
    this.#sources = this.#createSources(inherited, [...new Set(known)]);
    this.#restart = new RestartRequest({
      commandLine: options.commandLine,
      instance: instanceOf(config),
      say: (kind, message, actor) => this.#say(kind, message, actor),
      onReplaceable: options.onReplaceable,
    });
    const { store, controller, cgroupEvents, isOwnChild } = this.#machinery;
    this.#lookout = new Lookout({
      clock,
      tree: this.#tree,
      store,
      controller,
      cgroupEvents,
      loopDelay: this.#metrics.loopDelay,
      isOwnChild,
    });
  }

  /**
   * Takes the socket, then adopts what runs and starts what should run.
   * @throws ProcessmasterError when the socket cannot be had; then nothing was started.
   */
  async start(): Promise<void> {
    const { clock, config } = this.#options;
    try {
      this.#api = await startApi({
        config,
        clock,
        journal: this.#journal,
        events: this.#events,
        intents: this.#operators.intents,
        flags: this.#operators.flags,
        machinery: this.#machinery,
        sources: this.#sources,
        adminActions: new AdminActions({
          tree: this.#tree,
          actions: config.adminActions,
          directory: process.cwd(),
          socket: config.socket.path,
        }),
        isShuttingDown: () => this.#shuttingDown,
        requestRestart: (actor) => this.requestRestart(actor),
        warnings: () => this.#warnings(),
        ownMetrics: () => this.#metrics.read(),
      });
    } catch (error) {
      this.#letGo();
      throw error;
    }
    this.#reportTree();
    this.#limitTroubles = this.#limitInstance();
    this.#thaw();
    await this.#machinery.keeper.open();
    this.#operators.watch();
    this.#lookout.start();
    this.#machinery.usageHistory.start();
    this.#startConsole(this.#api);
    this.#removeLeftoverEdits();
    this.#sources.start();
    this.#cancelPrune = keepWithinBounds(this.#journal, clock);
    this.#stopTrimming = trimMemoryAfterBursts(this.#machinery.store, clock);
    this.#say('daemon.started', `pid ${process.pid}, socket ${config.socket.path}`);
  }

  /**
   * Stops every service through its normal stop, then lets go of everything. Resolves when no process
   * of any service is left, or with the names of those that could not be stopped.
   */
  async shutDown(reason: string): Promise<readonly ServiceName[]> {
    this.#shuttingDown = true;
    this.#say('daemon.stopping', reason);
    this.#cancelPrune();
    this.#stopTrimming();
    this.#operators.flags.close();
    await this.#sources.close();
    this.#machinery.controller.shutDown();
    const left = await allStopped(this.#machinery.store);
    for (const name of left) this.#say('daemon.warning', `'${name}' could not be stopped`);
    this.#lookout.stop();
    await this.#machinery.controller.stop();
    await this.#machinery.provisioningJobs.close(PROVISIONING_MS);
    await this.#console?.close();
    await this.#api?.close();
    // What could not be stopped keeps its parent, and the next daemon hears of its end.
    if (left.length === 0) await this.#endKeeper();
    this.#say('daemon.stopped', reason);
    for (const name of this.#machinery.store.names()) {
      // The next daemon goes on with what could not be stopped.
      if (!left.includes(name)) this.#removeHistory(name);
    }
    this.#letGo();
    return left;
  }

  /**
   * Finds out whether the program and config that are there now could take over, and if so, asks for
   * it. @throws ProcessmasterError `conflict` with the reason; then nothing has changed.
   */
  async requestRestart(actor: Actor): Promise<RestartPlan> {
    if (this.#shuttingDown) {
      throw new ProcessmasterError('conflict', 'cannot restart the daemon: it is shutting down');
    }
    return this.#restart.make(actor);
  }

  /**
   * Waits for stop commands: the next image cannot reap them, they would stay zombies. `false` when
   * the program or the config has become unusable meanwhile: this daemon goes on.
   */
  async readyToHandOver(): Promise<boolean> {
    const { stopCommands } = this.#machinery;
    if (!stopCommands.areAtWork) return true;
    await stopCommands.ended(STOP_COMMANDS_MS);
    return this.#restart.confirm();
  }

  /** Lets go of everything but the services, for the next image of this process. */
  async handOver(): Promise<void> {
    this.#shuttingDown = true;
    this.#cancelPrune();
    this.#stopTrimming();
    this.#operators.flags.close();
    await this.#sources.close();
    this.#lookout.stop();
    await this.#machinery.controller.stop();
    await this.#machinery.provisioningJobs.close(PROVISIONING_MS);
    await this.#console?.close();
    await this.#api?.close();
    this.#machinery.close();
    this.#histories.close();
    this.#journal.close();
    this.#lock.release();
  }

  #startConsole(api: ApiServer): void {
    const { clock, config } = this.#options;
    if (config.console === null) return;
    const say = (kind: string, message: string) => this.#say(kind, message);
    this.#console = new WebConsole({
      config: config.console,
      stateDirectory: config.stateDirectory,
      clock,
      tree: this.#tree,
      api,
      say,
    });
    this.#console.start();
  }

  /** Closes and removes what is this daemon's own; services that run are not touched. */
  #letGo(): void {
    this.#machinery.close();
    this.#histories.close();
    this.#tree.close();
    this.#journal.close();
    this.#lock.release();
  }

  /** `found`: what an earlier daemon left, each due once although nothing of it may have changed. */
  #createSources(inherited: Inheritance, found: readonly ServiceName[]): SourceSet {
    let known: readonly ServiceName[] | null = found;
    return new SourceSet(sourcesOf(this.#options.config), inherited, {
      clock: this.#options.clock,
      apply: this.#options.config.apply,
      onDesired: (desired) => {
        // Each spawn costs the more the larger the heap, and much of it is what was parsed just now.
        if (known !== null && desired.services.size > MANY) collectGarbage();
        this.#machinery.controller.applyDesired(desired, known ?? []);
        known = null;
        this.#specs.keep(desired);
        this.#lookAtEnvironments(desired);
        this.#forgetStrayFlags(desired);
      },
      fulfil: (wishes, eager) => this.#definitions.fulfil(wishes, eager),
      onAvailability: (source, reason) => {
        if (reason === null) this.#unavailable.delete(source);
        else this.#unavailable.add(source);
        this.#say(
          reason === null ? 'source.available' : 'source.unavailable',
          reason ?? `${source} can be read again`,
        );
      },
      onDegraded: (source, reason) => this.#watches.note(source, reason),
    });
  }

  /** With every reading of the sources, so at least once a minute. */
  #lookAtEnvironments(desired: DesiredState): void {
    const waits = () => this.#options.config.apply === 'manual';
    void refreshEnvironments(this.#machinery, desired, { settled: false, waits }).catch(
      (error: unknown) => this.#say('daemon.warning', `environment files: ${messageOf(error)}`),
    );
  }

  async #endKeeper(): Promise<void> {
    try {
      const { runtimeDirectory } = this.#options.config;
      await endServiceKeeper(this.#machinery.keeper, { tree: this.#tree, runtimeDirectory });
    } catch (error) {
      this.#say('daemon.warning', messageOf(error));
    }
  }

  #removeLeftoverEdits(): void {
    for (const { path, depth } of sourcesOf(this.#options.config)) removeLeftoverEdits(path, depth);
  }

  /** A daemon that was killed while it signalled has left that service frozen. */
  #thaw(): void {
    for (const name of listCgroupNames(this.#tree)) setFrozen(this.#tree.service(name), false);
  }

  #limitInstance(): readonly string[] {
    const { limits } = this.#options.config.cgroup;
    const refused = limitInstance(this.#tree.instancePath, limits);
    const troubles = refused.map(({ key, reason }) => `${key} is not in force: ${reason}`);
    for (const trouble of troubles) this.#say('cgroup.limit-refused', trouble);
    return troubles;
  }

  /** Said once: the services that ask for a controller are where its absence matters. */
  #reportTree(): void {
    const missing = this.#tree.missingControllers.map(({ controller }) => controller);
    if (missing.length === 0) return;
    this.#say(
      'cgroup.controllers-missing',
      `not available in this cgroup tree: ${missing.join(', ')}`,
    );
  }

  /** What is on a full or read-only disk is of another boot one day, or found again by its cgroup. */
  #removeHistory(name: ServiceName): void {
    try {
      this.#histories.remove(name);
    } catch (error) {
      this.#say('state.warning', messageOf(error));
    }
  }

  #forgetStrayFlags(desired: DesiredState): void {
    const { flags } = this.#operators;
    if (this.#unavailable.size > 0) return;
    // A service that is being stopped keeps its flags until it is forgotten.
    for (const name of strayFlagNames(flags.names(), desired)) {
      if (this.#machinery.store.status(name) === null && !this.#running.includes(name)) {
        flags.forget(name);
      }
    }
  }

  #warnings(): readonly string[] {
    const { ok, reason } = this.#journal.health;
    return [
      ...(ok ? [] : [reason]),
      ...[this.#histories.trouble, this.#machinery.usageHistory.warning].filter(
        (text) => text !== null,
      ),
      ...this.#definitions.warnings(),
      ...this.#watches.warnings(),
      ...this.#limitTroubles,
      ...(this.#console?.warnings() ?? []),
    ];
  }

  #say(kind: string, message: string, actor: Actor = 'daemon'): void {
    const atMs = this.#options.clock.wallMs();
    this.#events.emit({ atMs, service: null, kind, message, actor, data: {} });
  }
}
