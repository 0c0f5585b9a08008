import { cgroupState } from '../host/cgroup.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import type { CgroupObservation } from '../model/observation.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';

/** Names of all services that have a cgroup, whoever made it. */
export function listCgroupNames(tree: CgroupTree): readonly ServiceName[] {
  return tree.serviceNames().flatMap((name) => parseServiceName(name) ?? []);
}

/**
 * Compares the kernel's word with what is shown and returns the names that differ or that nobody
 * knows: the truth behind the watches.
 */
export function relist(
  tree: CgroupTree,
  shown: ReadonlyMap<ServiceName, CgroupObservation>,
): readonly ServiceName[] {
  const names = new Set([...listCgroupNames(tree), ...shown.keys()]);
  return [...names].filter((name) => shown.get(name)?.kind !== kindOf(tree, name));
}

function kindOf(tree: CgroupTree, name: ServiceName): CgroupObservation['kind'] {
  try {
    return cgroupState(tree.service(name));
  } catch {
    return 'unknown';
  }
}
