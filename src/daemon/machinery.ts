import { join } from 'node:path';
import type { ActuatorContext } from '../actuators/context.ts';
import { Launches } from '../actuators/launches.ts';
import { type ProvisioningEnd, ProvisioningJobs } from '../actuators/provisioning-jobs.ts';
import { ServiceLimits } from '../actuators/service-limits.ts';
import { StopCommands } from '../actuators/stop-commands.ts';
import { createActuators } from '../actuators/table.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { FifoPool } from '../host/fifo.ts';
import { hostId } from '../host/host-id.ts';
import { UsageFiles } from '../journal/usage-files.ts';
import type { KeeperClient } from '../keeper/keeper-client.ts';
import { type Clock, readInstant } from '../lib/clock.ts';
import type { ServiceEvent } from '../model/event.ts';
import { describeExit } from '../model/history.ts';
import type { ServiceName } from '../model/service-name.ts';
import { CgroupEvents } from '../observers/cgroup-events.ts';
import { EnvironmentReadings } from '../observers/environment-readings.ts';
import { isUnchanged, observeService } from '../observers/observe-service.ts';
import { ResourceUsage } from '../observers/resource-usage.ts';
import { Controller } from '../reconciler/controller.ts';
import { Store } from '../reconciler/store.ts';
import type { OperatorIntents } from '../sources/operator-intents.ts';
import { SETTLE_MS } from '../sources/settled-files.ts';
import type { UserFlags } from '../sources/user-flags.ts';
import type { SavedHistories } from './saved-history.ts';
import { createServiceKeeper } from './service-keeper.ts';
import { UsageHistory } from './usage-history.ts';

export interface MachineryParts {
  readonly clock: Clock;
  readonly tree: CgroupTree;
  readonly runtimeDirectory: string;
  readonly stateDirectory: string;
  /** What the log files of all services may take together; null is without limit. */
  readonly maxTotalLogBytes: number | null;
  readonly histories: SavedHistories;
  readonly intents: OperatorIntents;
  readonly flags: UserFlags;
  readonly emit: (event: ServiceEvent) => void;
  /** A service is gone for good. */
  readonly onForgotten: (name: ServiceName) => void;
  /** See EnvironmentReadings. */
  readonly environmentKey: () => Buffer;
  /** Why cgroups are not all watched, a sentence; null when they are again. */
  readonly onDegraded: (reason: string | null) => void;
}

/** The loop with its hands and eyes. */
export interface Machinery {
  readonly store: Store;
  readonly controller: Controller;
  readonly cgroupEvents: CgroupEvents;
  readonly keeper: KeeperClient;
  readonly stopCommands: StopCommands;
  readonly environments: EnvironmentReadings;
  readonly provisioningJobs: ProvisioningJobs;
  readonly usage: ResourceUsage;
  readonly usageHistory: UsageHistory;
  /** The main process of a service is a child of the keeper, so its end is reported. */
  readonly isOwnChild: (name: ServiceName) => boolean;
  /** Closes what is watched, leaves the keeper, and removes what actuators keep ready. */
  readonly close: () => void;
}

function settled(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.schedule(SETTLE_MS, resolve));
}

/** Wires reconciler, actuators and observers together. Nothing runs until a desired state is applied. */
export function createMachinery(parts: MachineryParts): Machinery {
  const { clock, tree, emit } = parts;
  const say = (service: ServiceName | null, kind: string, message: string) =>
    emit({ atMs: clock.wallMs(), service, kind, message, actor: 'supervisor', data: {} });

  const store = new Store();
  const launches = new Launches();
  const limits = new ServiceLimits();
  const stopCommands = new StopCommands();
  const provisioningJobs = new ProvisioningJobs();
  const keeper = createServiceKeeper({
    clock,
    tree,
    runtimeDirectory: parts.runtimeDirectory,
    launches,
    hello: { maxTotalLogBytes: parts.maxTotalLogBytes },
    record: (name, fact) => controller.record(name, fact),
    recorded: (name) => parts.histories.written(name),
    enqueueAll: () => controller.enqueueAll(),
    say,
  });
  const environments = new EnvironmentReadings(parts.environmentKey, () => settled(clock));
  const fifos = new FifoPool({ directory: join(parts.runtimeDirectory, 'fifos') });
  const cgroupEvents = new CgroupEvents(tree, (name) => controller.enqueue(name), parts.onDegraded);
  const context: ActuatorContext = {
    tree,
    servicesDirectory: join(parts.runtimeDirectory, 'services'),
    fifos,
    keeper,
    launches,
    limits,
    stopCommands,
    resolveEnvironment: (accepted, identity) => environments.resolve(accepted, identity),
    provisioningJobs,
    onProvisioned: (name, end) => reportProvisioning(parts, controller, name, end),
    daemonEnvironment: process.env,
    clock,
    onLogTrouble: (name, message) => say(name, 'logs.warning', message),
    onStopCommandEnded: (name, exit) => {
      const isFailed = exit.kind !== 'exited' || exit.code !== 0;
      if (isFailed) say(name, 'service.stop-command-failed', `stop command: ${describeExit(exit)}`);
      controller.enqueue(name);
    },
    onCgroupCreated: (name) => cgroupEvents.watchNew(name),
    onCgroupRemoved: (name) => {
      cgroupEvents.unwatch(name);
      usageHistory.ended(name);
    },
    recordSlots: (name, slots) => parts.histories.recordSlots(name, slots),
    removeServiceFolder: (name) => parts.histories.remove(name),
  };
  const own = {
    isLauncherAlive: (name: ServiceName) => launches.isAlive(name),
    hasLaunched: (name: ServiceName, runNumber: number) => launches.hasLaunched(name, runNumber),
    isLogCaptured: (name: ServiceName, runNumber: number) => launches.isCaptured(name, runNumber),
    limitsOf: (name: ServiceName) => limits.of(name),
    logSettings: (name: ServiceName, runNumber: number) => launches.logSettings(name, runNumber),
    isBeingProvisioned: (name: ServiceName, key: string) => provisioningJobs.isRunning(name, key),
  };
  const controller: Controller = new Controller(store, {
    clock,
    random: Math.random,
    hostId: hostId(),
    observe: (name, history, spec) =>
      observeService(tree, own, { name, history, spec }, clock.monotonicMs()),
    isUnchanged: (name, shown) => isUnchanged(tree, name, shown),
    watch: (name) => cgroupEvents.watch(name),
    intentOf: (name) => parts.intents.get(name),
    environmentOf: (name) => environments.of(name),
    intentOver: (name) => parts.intents.forget(name),
    actuators: createActuators(context),
    canLaunch: () => keeper.ready(),
    loadHistory: (name) => parts.histories.load(name),
    saveHistory: (name, history) => parts.histories.save(name, history),
    flushHistory: (name) => parts.histories.flush(name),
    emit,
    forgotten: (name) => {
      parts.intents.forget(name);
      parts.flags.forget(name);
      parts.histories.forgetJob(name);
      usageHistory.forget(name);
      parts.onForgotten(name);
    },
  });
  const isOwnChild = own.isLauncherAlive;
  const usage = new ResourceUsage(tree, clock);
  const usageHistory = new UsageHistory({
    clock,
    usage,
    files: new UsageFiles(join(parts.stateDirectory, 'usage')),
    running: () => whatRuns(store),
    onTrouble: (reason) =>
      reason === null
        ? say(null, 'state.recovered', 'what services use is kept again')
        : say(null, 'state.warning', reason),
  });
  const close = () => {
    usageHistory.close();
    usage.close();
    cgroupEvents.close();
    keeper.close();
    fifos.close();
  };
  return {
    store,
    controller,
    cgroupEvents,
    keeper,
    stopCommands,
    provisioningJobs,
    environments,
    usage,
    usageHistory,
    isOwnChild,
    close,
  };
}

function whatRuns(store: Store) {
  return store
    .statuses()
    .flatMap(({ name, cgroup, history }) =>
      cgroup.kind === 'populated' ? [{ name, run: history.run?.number ?? null }] : [],
    );
}

function reportProvisioning(
  { clock, emit }: MachineryParts,
  controller: Controller,
  name: ServiceName,
  { isDone, message, generation, intentId }: ProvisioningEnd,
): void {
  const at = readInstant(clock);
  const kind = isDone ? 'service.provisioned' : 'service.provisioning-failed';
  const data = { generation };
  emit({ atMs: at.wallMs, service: name, kind, message, actor: 'supervisor', data });
  if (isDone) controller.enqueue(name);
  else controller.record(name, { kind: 'provisioning-failed', at, message, generation, intentId });
}
