import { createHash } from 'node:crypto';
import type { JobSpec, ServiceSpec } from './service-spec.ts';

/** Whether a change applies to a running service as it is, or replaces its process. */
export type FieldClass = 'live' | 'restart';

interface ChangedField {
  /** The key as files write it, e.g. `process.user`. */
  readonly path: string;
  readonly class: FieldClass;
  /**
   * For a field that came after the first release: the value that means what builds without it did.
   * It is left out of the hash, so that an upgrade restarts nothing.
   */
  readonly neutral?: unknown;
}

/** One line for each field, nested ones too; a field of the spec without a line does not compile. */
type FieldTable<T> = {
  readonly [K in keyof T]-?:
    | ChangedField
    | (NonNullable<T[K]> extends object ? FieldTable<NonNullable<T[K]>> : never);
};

const JOB_FIELDS: { readonly [K in keyof JobSpec]-?: ChangedField } = {
  schedule: live('process.schedule'),
  timezone: live('process.timezone'),
  notBefore: live('process.not_before'),
  notAfter: live('process.not_after'),
  maxTimePerRunMs: live('process.max_time_per_run'),
  catchUp: live('process.catch_up'),
  jitterMs: live('process.jitter'),
  retries: live('process.retries'),
  retryDelayMs: live('process.retry_delay'),
  expectWithinMs: live('process.expect_within'),
};

/** The keys that only a job has. */
export const JOB_KEYS: ReadonlySet<string> = new Set(
  Object.values(JOB_FIELDS).map(({ path }) => path),
);

/** SPEC §5. The name is no field that changes: another name is another service. */
const FIELDS: FieldTable<Omit<ServiceSpec, 'name'>> = {
  description: live('description'),
  labels: live('labels'),
  enabled: live('global.enabled'),
  workingDirectory: restart('process.working_directory'),
  startCommand: restart('process.start_command'),
  stop: live('process.stop_signal or process.stop_command'),
  stopGraceMs: live('process.stop_grace_period_ms'),
  user: restart('process.user'),
  group: restart('process.group'),
  environment: restart('process.environment'),
  environmentFiles: restart('process.env_file', { neutral: [] }),
  inheritEnvironment: restart('process.inherit_environment'),
  successExitCodes: live('process.success_exit_codes'),
  umask: restart('process.umask'),
  nice: restart('process.nice'),
  oomScoreAdjust: restart('process.oom_score_adj'),
  limits: restart('process.limits'),
  noNewPrivileges: restart('process.no_new_privileges'),
  ambientCapabilities: restart('process.ambient_capabilities'),
  logs: {
    stdout: restart('logs.stdout'),
    stderr: restart('logs.stderr'),
    stopCommandStdout: restart('logs.stop_command_stdout'),
    stopCommandStderr: restart('logs.stop_command_stderr'),
    rotation: {
      mode: live('logs.rotation_mode'),
      maxBytes: live('logs.rotation_size'),
      backups: live('logs.rotation_backups'),
      frequency: live('logs.rotation_frequency'),
      maxAgeMs: live('logs.rotation_max_age_ms'),
      compress: live('logs.compression_enabled'),
    },
    timestamps: live('logs.timestamps'),
    maxTotalBytes: live('logs.max_total_size'),
    hints: live('logs.hints'),
  },
  resources: {
    maxCpu: live('resources.max_cpu'),
    maxMemory: live('resources.max_memory'),
    memoryHigh: live('resources.memory_high'),
    maxSwap: live('resources.max_swap'),
    maxPids: live('resources.max_pids'),
    cpuWeight: live('resources.cpu_weight'),
    ioWeight: live('resources.io_weight'),
    ioBandwidth: live('resources.io_bandwidth'),
    oom: live('resources.oom'),
  },
  restart: {
    policy: live('restart_policy.policy'),
    backoffMs: live('restart_policy.restart_backoff_ms'),
    backoffMaxMs: live('restart_policy.backoff_max_ms'),
    maxRestarts: live('restart_policy.tolerance.max_restarts'),
    toleranceMs: live('restart_policy.tolerance.duration'),
  },
  job: JOB_FIELDS,
  provisioning: live('provisioning'),
};

/** Every field of a spec under its key, see {@link ChangedField.path}, in the order of the table. */
export function fieldValues(
  spec: ServiceSpec,
): readonly { readonly path: string; readonly value: unknown }[] {
  return flatten(spec).map(({ field, raw }) => ({ path: field.path, value: raw }));
}

/** Identifies what a process was started with: 32 hex digits over every `restart` field. */
export function restartHash(spec: ServiceSpec): string {
  const fields = flatten(spec).filter(
    ({ field, value }) => field.class === 'restart' && value !== canonical(field.neutral),
  );
  const text = JSON.stringify(fields.map(({ field, value }) => [field.path, value]));
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** A field with its value in two specs. */
export interface FieldDifference {
  readonly field: ChangedField;
  /** As the spec has it; undefined in a spec of an earlier build that did not know the field. */
  readonly before: unknown;
  readonly after: unknown;
}

/** The fields in which two specs of one service differ. */
export function changedFields(before: ServiceSpec, after: ServiceSpec): readonly FieldDifference[] {
  const beforeFields = flatten(before);
  return flatten(after).flatMap(({ field, value, raw }, index) => {
    const old = beforeFields[index];
    return value === old?.value ? [] : [{ field, before: old?.raw, after: raw }];
  });
}

interface FlatField {
  readonly field: ChangedField;
  /** Canonical JSON. */
  readonly value: string;
  readonly raw: unknown;
}

function flatten(spec: ServiceSpec): readonly FlatField[] {
  return flattenTable(FIELDS, { ...spec });
}

/** Grows when values of a field are kept in another form than before, under the same key. */
const SHAPE_VERSION = 1;

/** Identifies how the specs of this build look: one kept by a build of another shape is not used. */
export const SPEC_SHAPE = createHash('sha256')
  .update(JSON.stringify([SHAPE_VERSION, FIELDS]))
  .digest('hex')
  .slice(0, 16);

function flattenTable(table: object, values: object): readonly FlatField[] {
  const valuesByName = new Map<string, unknown>(Object.entries(values));
  return Object.entries(table).flatMap(([name, entry]: [string, ChangedField | object]) => {
    const value = valuesByName.get(name);
    if (isField(entry)) return [{ field: entry, value: canonical(value), raw: value }];
    return flattenTable(entry, Object(value));
  });
}

function isField(entry: ChangedField | object): entry is ChangedField {
  return 'class' in entry;
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function live(path: string): ChangedField {
  return { path, class: 'live' };
}

function restart(path: string, added: Pick<ChangedField, 'neutral'> = {}): ChangedField {
  return { path, class: 'restart', ...added };
}
