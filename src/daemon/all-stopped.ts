import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { Store } from '../reconciler/store.ts';

/** What a stop may take beyond the longest grace before it is given up. */
const SHUTDOWN_MARGIN_MS = 15_000;

/**
 * Resolves with the services that are not down: none, unless the kernel does not let go of them, or
 * their state cannot be read for longer than any grace.
 */
export async function allStopped(store: Store): Promise<readonly ServiceName[]> {
  const left = () => store.statuses().filter(isUp);
  const graces = store.statuses().map((status) => status.desired?.accepted?.spec.stopGraceMs ?? 0);
  const patienceMs = Math.max(0, ...graces) + SHUTDOWN_MARGIN_MS;
  await new Promise<void>((resolve) => {
    const check = () => {
      if (left().every(isStuck)) resolve();
    };
    store.subscribe(check);
    setTimeout(resolve, patienceMs).unref();
    check();
  });
  return left().map((status) => status.name);
}

function isUp({ phase, cgroup }: ServiceStatus): boolean {
  return (
    cgroup.kind === 'populated' ||
    cgroup.kind === 'unknown' ||
    cgroup.kind === 'empty' ||
    phase === 'STARTING' ||
    phase === 'STOPPING'
  );
}

function isStuck({ conditions }: ServiceStatus): boolean {
  return conditions.some((condition) => condition.type === 'StopStuck');
}
