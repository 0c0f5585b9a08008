import type { CgroupPath } from '../host/cgroup.ts';
import type { AppliedResources, Resources } from '../model/resources.ts';
import type { ServiceName } from '../model/service-name.ts';
import { writeLimits } from './write-limits.ts';

/**
 * The limits that this daemon wrote. Those of an earlier one are written again: its end may have
 * cost them (see release-cgroup).
 */
export class ServiceLimits {
  readonly #applied = new Map<ServiceName, AppliedResources>();

  apply(name: ServiceName, cgroup: CgroupPath, resources: Resources, isNew: boolean): void {
    this.#applied.set(name, { resources, refused: writeLimits(cgroup, resources, isNew) });
  }

  of(name: ServiceName): AppliedResources | null {
    return this.#applied.get(name) ?? null;
  }

  /** The cgroup is gone, and with it what was written. */
  forget(name: ServiceName): void {
    this.#applied.delete(name);
  }
}
