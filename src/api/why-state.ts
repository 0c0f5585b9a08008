import type { Condition, ConditionType } from '../model/status.ts';

/**
 * Which answer a service gets: finer than its phase. A new one is a
 * line in {@link STATES} and one in each table over this type.
 */
export type WhyState =
  | 'unknown'
  | 'stuck'
  | 'stopping'
  | 'unrecorded'
  | 'main-gone'
  | 'running'
  | 'starting'
  | 'invalid'
  | 'disabled'
  | 'stopped'
  | 'failed'
  | 'backoff'
  | 'completed'
  | 'scheduled'
  | 'provisioning'
  | 'unprovisioned'
  | 'down';

/** The first that holds wins, in the order of the phases. */
const STATES: readonly (readonly [ConditionType, WhyState])[] = [
  ['Unknown', 'unknown'],
  ['StopStuck', 'stuck'],
  ['Stopping', 'stopping'],
  ['Unrecorded', 'unrecorded'],
  ['MainProcessGone', 'main-gone'],
  ['Populated', 'running'],
  ['Starting', 'starting'],
  ['Provisioning', 'provisioning'],
  ['NeverValid', 'invalid'],
  ['Disabled', 'disabled'],
  ['StoppedByOperator', 'stopped'],
  ['Failed', 'failed'],
  ['Backoff', 'backoff'],
  ['Completed', 'completed'],
  ['Scheduled', 'scheduled'],
  ['ProvisioningFailed', 'unprovisioned'],
];

/** The state that a set of conditions comes to; `down` when none of them tells why. */
export function whyStateOf(conditions: readonly Condition[]): WhyState {
  const types = new Set(conditions.map(({ type }) => type));
  return STATES.find(([type]) => types.has(type))?.[1] ?? 'down';
}
