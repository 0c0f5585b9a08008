import type { DesiredState } from '../model/desired.ts';
import type { ContentChange } from '../model/environment-reading.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { Machinery } from './machinery.ts';

/**
 * Looks again at the files that environments are made from, and makes due the services of which
 * something else is known now. Gives the ones that run with what such a file no longer says, `waits`
 * or not.
 */
export async function refreshEnvironments(
  { environments, controller }: Pick<Machinery, 'environments' | 'controller'>,
  desired: DesiredState,
  waits: (name: ServiceName) => boolean,
): Promise<readonly ContentChange[]> {
  const names = await environments.refresh(desired, { waits });
  const changes = controller.contentChanges(environments.names());
  for (const name of names) controller.enqueue(name);
  return changes;
}
