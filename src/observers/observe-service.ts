import { isDeepStrictEqual } from 'node:util';
import { cgroupState, holdsJust, readPids } from '../host/cgroup.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { readUsage } from '../host/cgroup-usage.ts';
import { readProcess } from '../host/process-info.ts';
import { messageOf } from '../lib/errors.ts';
import { type History, hasActiveRun } from '../model/history.ts';
import type { CgroupObservation, Observation, ProcessIdentity } from '../model/observation.ts';
import type { AppliedResources } from '../model/resources.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { LogSettings, ServiceSpec } from '../model/service-spec.ts';
import { observeMemory } from './observe-memory.ts';
import { observeProvisioning } from './observe-provisioning.ts';

/** What only this daemon knows about its own children and descriptors. */
export interface OwnKnowledge {
  readonly isLauncherAlive: (name: ServiceName) => boolean;
  /** This run was launched by this daemon, so its exit is reported here. */
  readonly hasLaunched: (name: ServiceName, runNumber: number) => boolean;
  readonly isLogCaptured: (name: ServiceName, runNumber: number) => boolean;
  /** How the output of this run is kept; null when it is not captured. */
  readonly logSettings: (name: ServiceName, runNumber: number) => LogSettings | null;
  readonly isBeingProvisioned: (name: ServiceName, key: string) => boolean;
  readonly limitsOf: (name: ServiceName) => AppliedResources | null;
}

/** Which service is looked at, and what is known of it. */
export interface Subject {
  readonly name: ServiceName;
  readonly history: History;
  /** The accepted one: what its provisioning is about. */
  readonly spec: ServiceSpec | null;
}

/** The way from the launch into the cgroup takes milliseconds; this is for a host that is on its knees. */
const JOINS_WITHIN_MS = 10_000;
/** A process that nobody wrote down was made within this time, or never. */
const APPEARS_WITHIN_MS = 2_000;

/** Reads what is true of one service now. Does not throw: what cannot be read is `unknown`. */
export function observeService(
  tree: CgroupTree,
  own: OwnKnowledge,
  { name, history, spec }: Subject,
  nowMonotonicMs: number,
): Observation {
  const cgroup = observeCgroup(tree, name);
  const launcherAlive =
    own.isLauncherAlive(name) || isOnItsWay(own, name, history, cgroup, nowMonotonicMs);
  const runNumber = history.run?.number;
  return {
    cgroup,
    launcherAlive,
    stopCommandRuns: history.stop !== null && hasStopCommand(tree, name),
    leader: needsLeader(history, cgroup, launcherAlive) ? findLeader(cgroup.pids) : null,
    provisioning: observeProvisioning(spec, (key) => own.isBeingProvisioned(name, key)),
    logsCaptured: runNumber !== undefined && own.isLogCaptured(name, runNumber),
    limits: own.limitsOf(name),
    logSettings: runNumber === undefined ? null : own.logSettings(name, runNumber),
    ...observeMemory(tree.service(name), history),
    ...(endsJobsRun(history, cgroup) ? { usage: readUsage(tree.service(name)) } : {}),
  };
}

/** Whether the kernel still says the same of a service's cgroup. Cheaper than to observe it. */
export function isUnchanged(
  tree: CgroupTree,
  name: ServiceName,
  shown: CgroupObservation,
): boolean {
  if (shown.kind !== 'populated') return isDeepStrictEqual(observeCgroup(tree, name), shown);
  try {
    return holdsJust(tree.service(name), shown.pids);
  } catch {
    // Observing says why.
    return false;
  }
}

/** Reads a service's cgroup and the pids in it. Does not throw. */
function observeCgroup(tree: CgroupTree, name: ServiceName): CgroupObservation {
  const path = tree.service(name);
  try {
    // Read first: where there are pids, cgroup.events has nothing to add.
    const pids = readPids(path);
    if (pids.length > 0) return { kind: 'populated', pids };
    const kind = cgroupState(path);
    return kind === 'populated' ? { kind, pids: readPids(path) } : { kind };
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) };
  }
}

/** Its cgroup is there until the end of the run was noted, and tells what all of it has used. */
function endsJobsRun(history: History, cgroup: CgroupObservation): boolean {
  return cgroup.kind === 'empty' && hasActiveRun(history) && history.job !== null;
}

function hasStopCommand(tree: CgroupTree, name: ServiceName): boolean {
  try {
    return cgroupState(tree.stopCommand(name)) === 'populated';
  } catch {
    // What cannot be read may be there.
    return true;
  }
}

/**
 * Whether an earlier daemon launched the process and died before it was in its cgroup. Taking the
 * empty cgroup for the end of the run would start the service twice.
 */
function isOnItsWay(
  own: OwnKnowledge,
  name: ServiceName,
  history: History,
  cgroup: CgroupObservation,
  nowMonotonicMs: number,
): boolean {
  if (!hasActiveRun(history) || history.launchedExit !== null) return false;
  if (cgroup.kind === 'populated' || own.hasLaunched(name, history.run.number)) return false;
  const sinceMs = nowMonotonicMs - history.run.launchedAt.monotonicMs;
  // Killed between the record and the launch, or just after: nobody wrote down which process.
  if (history.main === null) return sinceMs <= APPEARS_WITHIN_MS;
  return sinceMs <= JOINS_WITHIN_MS && isAlive(history.main);
}

/** A zombie has ended, whoever has not reaped it. */
function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  const process = readProcess(pid);
  return process !== null && process.startTicks === startTicks && process.state !== 'Z';
}

/** Only a service whose launched process went away cleanly can have put itself into the background. */
function needsLeader(
  history: History,
  cgroup: CgroupObservation,
  launcherAlive: boolean,
): cgroup is CgroupObservation & { readonly kind: 'populated' } {
  return cgroup.kind === 'populated' && !launcherAlive && history.mainIsLaunched;
}

/** The only process whose parent is not among the others, if there is just one such. */
function findLeader(pids: readonly number[]): ProcessIdentity | null {
  const known = new Set(pids);
  const processes = pids.flatMap((pid) => readProcess(pid) ?? []);
  const roots = processes.filter((process) => !known.has(process.ppid));
  const [leader, ...others] = roots;
  return leader !== undefined && others.length === 0
    ? { pid: leader.pid, startTicks: leader.startTicks }
    : null;
}
