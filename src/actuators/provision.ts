import { statNoFollow } from '../host/safe-open.ts';
import type { TimeSlices } from '../host/time-slices.ts';
import { writeAtomically } from '../host/write-atomically.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { Actuators } from '../model/action.ts';
import { markerPath, markerText, provisioningKey } from '../model/provisioning.ts';
import type { ServiceSpec } from '../model/service-spec.ts';
import type { ActuatorContext } from './context.ts';
import { Progress } from './provisioning-progress.ts';
import { applyEntry, findIds, prepare, verifyCapabilities } from './provisioning-steps.ts';

const MARKER_MODE = 0o644;
/** A marker is a few lines. */
const MAX_MARKER_BYTES = 4096;

/** Begins to carry out a service's provisioning; how it ends is told to `onProvisioned`. */
export function provisionActuator(context: ActuatorContext): Actuators['provision'] {
  return async (name, { accepted, intentId }) => {
    const { spec, generation } = accepted;
    context.provisioningJobs.begin(
      name,
      provisioningKey(spec),
      async (slices, signal) => ({
        ...(await provision(spec, slices, signal)),
        generation,
        intentId,
      }),
      (end) => context.onProvisioned(name, end),
    );
    return [];
  };
}

/** Rejects only when `signal` is aborted. */
async function provision(spec: ServiceSpec, slices: TimeSlices, signal: AbortSignal) {
  const progress = new Progress(spec.provisioning.length);
  try {
    const marker = markerPath(spec.workingDirectory);
    refuseOddMarker(spec.workingDirectory, marker);
    await applyAll(spec, progress, slices, signal);
    const text = markerText(spec.provisioning);
    const options = { mode: MARKER_MODE, maxBytes: MAX_MARKER_BYTES };
    writeAtomically(marker, (present) => (present === null ? text : null), options);
    return { isDone: true, message: progress.summary() };
  } catch (error) {
    signal.throwIfAborted();
    return { isDone: false, message: progress.failure(messageOf(error)) };
  }
}

/** Known to fail before anything is changed. A regular file there means done by now, and is left. */
function refuseOddMarker(workingDirectory: string, marker: string): void {
  if (statNoFollow(workingDirectory) === null) {
    const message = `there is no folder '${workingDirectory}' (make it, or correct process.working_directory)`;
    throw new ProcessmasterError('io', message);
  }
  const stats = statNoFollow(marker);
  if (stats === null || stats.isFile()) return;
  const what = stats.isSymbolicLink() ? 'a symbolic link' : 'no regular file';
  throw new ProcessmasterError('unsafe_path', `the marker '${marker}' is ${what} (remove it)`);
}

async function applyAll(
  spec: ServiceSpec,
  progress: Progress,
  slices: TimeSlices,
  signal: AbortSignal,
): Promise<void> {
  const slice = slices.join(signal);
  prepare(spec.provisioning);
  const ids = await findIds(spec.provisioning, progress);
  for (const [index, entry] of spec.provisioning.entries()) {
    progress.beginEntry(index, entry);
    await slice.next();
    await applyEntry(entry, ids, progress, slice);
  }
  await verifyCapabilities(spec.provisioning, progress);
}
