import { formatCpu } from '../lib/cpu.ts';
import { formatSize } from '../lib/size.ts';
import { type ProvisioningEntry, provisioningAsWritten } from './provisioning.ts';
import { type DeviceBandwidth, writtenBandwidth } from './resources.ts';
import { changedFields } from './restart-hash.ts';
import type { FieldChange } from './service-change.ts';
import { type EnvironmentFile, type ServiceSpec, writtenEnvironmentFile } from './service-spec.ts';
import { maskedPart, shortenPair, unseenPair } from './shown-value.ts';

/** A field that files write as several values, each told by itself. */
interface Part {
  readonly path: string;
  readonly keys: readonly string[];
  readonly value: unknown;
}

type Split = (value: unknown) => readonly Part[];

/** The fields that are taken apart, by their path. */
const SPLITS: Readonly<Record<string, Split>> = {
  labels: (value) =>
    Object.entries(Object(value)).map(([label, text]) => part(['labels', label], text)),
  'process.environment': (value) =>
    listOf<{ name: string; value: string }>(value).map(({ name, value }) => ({
      path: `process.environment[${name}]`,
      keys: ['process', 'environment', name, 'value'],
      value,
    })),
  'process.env_file': (value) => [
    part(['process', 'env_file'], listOf<EnvironmentFile>(value).map(writtenEnvironmentFile)),
  ],
  'process.limits': (value) =>
    listOf<{ name: string; soft: unknown; hard: unknown }>(value).map(({ name, soft, hard }) =>
      part(['process', 'limits', name], soft === hard ? limit(soft) : { soft, hard }),
    ),
  'resources.io_bandwidth': (value) =>
    listOf<DeviceBandwidth>(value).map((limits) => ({
      ...part(['resources', 'io_bandwidth'], writtenBandwidth(limits)),
      path: `resources.io_bandwidth[${limits.device}]`,
    })),
  provisioning: (value) => {
    const entries = listOf<ProvisioningEntry>(value);
    return [part(['provisioning'], entries.length > 0 ? provisioningAsWritten(entries) : null)];
  },
  'process.stop_signal or process.stop_command': (value) => {
    const stop = Object(value) as Partial<{ kind: string; signal: unknown; argv: unknown }>;
    return stop.kind === 'command'
      ? [part(['process', 'stop_command'], stop.argv)]
      : [part(['process', 'stop_signal'], stop.signal)];
  },
};

/** How a value is written where its number alone would mislead. */
const FORMATS: Readonly<Record<string, (value: number) => string>> = {
  'resources.max_cpu': formatCpu,
  'resources.max_memory': formatSize,
  'resources.memory_high': formatSize,
  'resources.max_swap': formatSize,
  'process.umask': (mask) => `0${mask.toString(8).padStart(3, '0')}`,
  'restart_policy.tolerance.duration': (ms) => `${ms}ms`,
  'process.max_time_per_run': (ms) => `${ms}ms`,
  'process.jitter': (ms) => `${ms}ms`,
  'process.retry_delay': (ms) => `${ms}ms`,
  'process.expect_within': (ms) => `${ms}ms`,
};

/** What a reader of a new definition wants to know first. */
const TELLING: readonly (keyof ServiceSpec)[] = ['startCommand', 'workingDirectory', 'user'];

/** The values in which two specs of one service differ. Pure. */
export function fieldChanges(before: ServiceSpec, after: ServiceSpec): readonly FieldChange[] {
  return changedFields(before, after).flatMap(({ field, before: old, after: next }) => {
    const split: Split = SPLITS[field.path] ?? ((value) => [part(field.path.split('.'), value)]);
    const beforeByPath = new Map(split(old).map((each) => [each.path, each] as const));
    const afterByPath = new Map(split(next).map((each) => [each.path, each] as const));
    const paths = [...new Set([...beforeByPath.keys(), ...afterByPath.keys()])];
    return paths.flatMap((path) => {
      const [one, other] = [beforeByPath.get(path), afterByPath.get(path)];
      const keys = other?.keys ?? one?.keys ?? [];
      const pair = { before: written(path, one?.value), after: written(path, other?.value) };
      if (pair.before === pair.after) return [];
      const masked = {
        before: shown(keys, one?.value, pair.before),
        after: shown(keys, other?.value, pair.after),
      };
      return [{ path, keys, class: field.class, ...shortenPair(masked) }];
    });
  });
}

/** That what a key refers to says something else, and nothing of what it says. Pure. */
export function contentField(path: string): FieldChange {
  const [, name] = /^process\.environment\[(.*)\]$/s.exec(path) ?? [];
  const keys = name === undefined ? path.split('.') : ['process', 'environment', name, 'value'];
  return { path, keys, class: 'restart', ...unseenPair() };
}

/** What a new service runs, where and as whom. Pure. */
export function tellingFields(spec: ServiceSpec): readonly FieldChange[] {
  const unset = Object.fromEntries(TELLING.map((field) => [field, null]));
  // Only to be compared: what is not set before is all that differs.
  return fieldChanges({ ...spec, ...unset } as ServiceSpec, spec);
}

/** The value of a variable is masked; others are shown as they are written. */
function shown(keys: readonly string[], value: unknown, text: string | null): string | null {
  const [, list, name] = keys;
  return list === 'environment' && name !== undefined && typeof value === 'string'
    ? maskedPart(name, value)
    : text;
}

/** As JSON, which is YAML, too; `null` for what is not set. */
function written(path: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const format = FORMATS[path];
  return format !== undefined && typeof value === 'number' ? format(value) : JSON.stringify(value);
}

function part(keys: readonly string[], value: unknown): Part {
  return { path: keys.join('.'), keys, value };
}

function limit(value: unknown): unknown {
  return value === null ? 'unlimited' : value;
}

/** In a spec of an earlier build the field may be missing. */
function listOf<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? value : [];
}
