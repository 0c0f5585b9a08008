import type { CgroupPath } from '../host/cgroup.ts';
import type { DaemonConfig } from '../model/daemon-config.ts';
import { controlsOf, type RefusedLimit, UNLIMITED } from '../model/resources.ts';
import { writeLimit } from './write-limits.ts';

const KEYS: Readonly<Record<string, string>> = {
  'memory.max': 'cgroup.memory_max',
  'memory.swap.max': 'cgroup.memory_swap_max',
  'cpu.max': 'cgroup.cpu_max',
};

/** Writes the limits of the daemon and all services together; gives those that are not in force. */
export function limitInstance(
  cgroup: CgroupPath,
  limits: DaemonConfig['cgroup']['limits'],
): readonly RefusedLimit[] {
  return controlsOf({ ...UNLIMITED, ...limits }).flatMap((control) => {
    const key = KEYS[control.file];
    return key === undefined ? [] : (writeLimit(cgroup, { ...control, key }) ?? []);
  });
}
