import type { DesiredService, DesiredState } from '../model/desired.ts';
import type { ServiceName } from '../model/service-name.ts';

/** What the sources would have of one service, and what has to be said of it meanwhile. */
interface Held {
  /** `null`: nothing to show, neither in force nor wrong. */
  readonly service: DesiredService | null;
  readonly waits: boolean;
}

/**
 * `global.apply: manual`: of what the sources say now (`candidate`, merged on top of `inForce`) only
 * the troubles are taken over; specs stay as they are in force, and a new definition is not yet a
 * service. `isApplied` names the services whose changes do not wait. Pure.
 */
export function holdBack(
  inForce: DesiredState,
  candidate: DesiredState,
  isApplied: (name: ServiceName) => boolean,
): DesiredState {
  const services = new Map<ServiceName, DesiredService>();
  const waitingNames: ServiceName[] = [];
  for (const name of [
    ...new Set([...inForce.services.keys(), ...candidate.services.keys()]),
  ].toSorted()) {
    const next = candidate.services.get(name) ?? null;
    const { service, waits } = isApplied(name)
      ? { service: next, waits: false }
      : holdOne(inForce.services.get(name) ?? null, next);
    if (service !== null) services.set(name, service);
    if (waits) waitingNames.push(name);
  }
  const held = { ...candidate, services };
  return waitingNames.length === 0 ? held : { ...held, waitingNames };
}

function holdOne(before: DesiredService | null, next: DesiredService | null): Held {
  const accepted = before?.accepted ?? null;
  const isSame = accepted?.generation === next?.accepted?.generation;
  // Also what is wrong, and a file that was only renamed.
  if (next !== null && isSame) return { service: next, waits: false };
  if (before === null || accepted === null) return { service: null, waits: next !== null };
  const waiting = next === null ? 'removed' : 'changed';
  return { service: { name: before.name, accepted, trouble: null, waiting }, waits: true };
}
