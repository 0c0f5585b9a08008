import { readBounded, statNoFollow } from '../host/safe-open.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { ProvisioningObservation } from '../model/observation.ts';
import { isOutdated, markerPath, provisioningKey } from '../model/provisioning.ts';
import type { ServiceSpec } from '../model/service-spec.ts';

const MAX_MARKER_BYTES = 4096;

/** How far the provisioning of a service is. Does not throw: what cannot be read is due, and fails. */
export function observeProvisioning(
  spec: ServiceSpec | null,
  isRunning: (key: string) => boolean,
): ProvisioningObservation {
  // A spec that an earlier build wrote has no entries.
  const entries = spec?.provisioning ?? [];
  if (spec === null || entries.length === 0) return 'none';
  if (isRunning(provisioningKey(spec))) return 'running';
  const marker = markerPath(spec.workingDirectory);
  if (!hasMarker(marker)) return 'due';
  return isOutdated(textOf(marker), entries) ? 'outdated' : 'done';
}

/** Whether a regular file, and nothing else, is where the marker belongs. Does not throw. */
export function hasMarker(path: string): boolean {
  try {
    return statNoFollow(path)?.isFile() === true;
  } catch (error) {
    if (error instanceof ProcessmasterError) return false;
    throw error;
  }
}

/** What is not to be read says nothing: that it is there is what counts. */
function textOf(path: string): string {
  try {
    return readBounded(path, MAX_MARKER_BYTES).toString('utf8');
  } catch (error) {
    if (error instanceof ProcessmasterError) return '';
    throw error;
  }
}
