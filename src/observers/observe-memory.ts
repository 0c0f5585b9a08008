import type { CgroupPath } from '../host/cgroup.ts';
import { readMemoryEvents, readMemoryLimit, readMemoryPeak } from '../host/cgroup-memory.ts';
import { pathBelowMount } from '../host/cgroup-mount.ts';
import { readOomVictims } from '../host/kernel-log.ts';
import { type History, hasActiveRun } from '../model/history.ts';
import type { Observation } from '../model/observation.ts';

/** The newest are the ones that somebody asks about. */
const MOST_VICTIMS = 5;

/**
 * What the run lost to a lack of memory since that was last looked at. One small file is read as a
 * rule; the kernel's log only when there is something to tell.
 */
export function observeMemory(
  cgroup: CgroupPath,
  history: History,
): Pick<Observation, 'outOfMemory'> {
  if (!hasActiveRun(history)) return {};
  const kills = readMemoryEvents(cgroup)?.oomKills ?? 0;
  if (kills <= (history.run.outOfMemory?.kills ?? 0)) return {};
  const victims = readOomVictims(pathBelowMount(cgroup)).slice(-Math.min(kills, MOST_VICTIMS));
  return {
    outOfMemory: {
      kills,
      victims: victims.map(({ name, pid }) => `${name} (${pid})`),
      limitBytes: readMemoryLimit(cgroup),
      peakBytes: readMemoryPeak(cgroup),
    },
  };
}
