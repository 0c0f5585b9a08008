import type { DesiredState } from '../model/desired.ts';
import type { ContentChange } from '../model/environment-reading.ts';
import type { RefreshOptions } from '../observers/environment-readings.ts';
import type { Machinery } from './machinery.ts';

/**
 * Looks again at the files that environments are made from, and makes due the services of which
 * something else is known now. Gives the ones that run with what such a file no longer says, whether
 * that waits or not.
 */
export async function refreshEnvironments(
  { environments, controller }: Pick<Machinery, 'environments' | 'controller'>,
  desired: DesiredState,
  options: RefreshOptions,
): Promise<readonly ContentChange[]> {
  const names = await environments.refresh(desired, options);
  const changes = controller.contentChanges(environments.names());
  for (const name of names) controller.enqueue(name);
  return changes;
}
