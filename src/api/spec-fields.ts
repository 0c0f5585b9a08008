import { formatDuration } from '../lib/duration.ts';
import { formatFileMode } from '../lib/file-mode.ts';
import { provisioningAsWritten } from '../model/provisioning.ts';
import { UNLIMITED, writtenResources } from '../model/resources.ts';
import { fieldValues, JOB_KEYS } from '../model/restart-hash.ts';
import {
  type JobSpec,
  type ResourceLimit,
  type ServiceSpec,
  writtenEnvironmentFile,
} from '../model/service-spec.ts';
import { maskedValue } from '../model/shown-value.ts';
import type { SpecField } from '../rpc/description.ts';

type Value = SpecField['value'];

/** Every key of a spec with its value as a file would write it, defaults too; secrets are masked. */
export function specFields(spec: ServiceSpec): readonly Omit<SpecField, 'line'>[] {
  const written = writtenOtherwise(spec);
  return fieldValues(spec)
    .filter(({ path }) => isOfItsKind(path, spec))
    .map(({ path, value }) => written.get(path) ?? { key: path, value: value as Value });
}

/** A job has no restart policy, and a service no schedule. */
function isOfItsKind(path: string, { job }: ServiceSpec): boolean {
  return job === null ? !JOB_KEYS.has(path) : !path.startsWith('restart_policy.');
}

/** Fields whose value in a file looks other than in the spec. */
function writtenOtherwise(spec: ServiceSpec): ReadonlyMap<string, Omit<SpecField, 'line'>> {
  const { stop, umask, limits, environment, restart, provisioning, job } = spec;
  const shown: readonly (readonly [string, Value])[] = [
    ['process.umask', formatFileMode(umask)],
    ['process.limits', limitsAsWritten(limits)],
    [
      'process.environment',
      environment.map(({ name, value }) => ({ name, value: maskedValue(name, value) })),
    ],
    // A run of an earlier build may be all that is left of a spec.
    ['process.env_file', (spec.environmentFiles ?? []).map(writtenEnvironmentFile)],
    // The same.
    ...Object.entries(writtenResources(spec.resources ?? UNLIMITED)).map(
      ([key, value]) => [`resources.${key}`, value as Value] as const,
    ),
    ['restart_policy.tolerance.duration', formatDuration(restart.toleranceMs)],
    ...(job === null ? [] : jobDurations(job)),
    ['provisioning', provisioningAsWritten(provisioning)],
  ];
  const stopField =
    stop.kind === 'signal'
      ? { key: 'process.stop_signal', value: stop.signal }
      : { key: 'process.stop_command', value: [...stop.argv] };
  return new Map([
    ...shown.map(([key, value]) => [key, { key, value }] as const),
    ['process.stop_signal or process.stop_command', stopField],
  ]);
}

function jobDurations(job: JobSpec): readonly (readonly [string, Value])[] {
  const orNull = (ms: number | null) => (ms === null ? null : formatDuration(ms));
  return [
    ['process.max_time_per_run', orNull(job.maxTimePerRunMs) ?? 'never'],
    ['process.jitter', formatDuration(job.jitterMs)],
    ['process.retry_delay', formatDuration(job.retryDelayMs)],
    ['process.expect_within', orNull(job.expectWithinMs)],
  ];
}

function limitsAsWritten(limits: readonly ResourceLimit[]): Value {
  const bound = (value: number | null) => value ?? 'unlimited';
  return Object.fromEntries(
    limits.map(({ name, soft, hard }) => [
      name,
      soft === hard ? bound(soft) : { soft: bound(soft), hard: bound(hard) },
    ]),
  );
}
