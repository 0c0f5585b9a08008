import { posix } from 'node:path';
import { type ConfigIssue, type Interpreted, valueAt } from './config-issue.ts';
import { parseEnvironmentValue } from './environment-value.ts';
import { serviceWords } from './foreign-words.ts';
import { type Check, exclusive, interpret, required } from './interpret.ts';
import { jobIssues, jobSpec } from './job-definition.ts';
import { describeValue, isMap, textOf } from './literal.ts';
import type { ProvisioningEntry } from './provisioning.ts';
import { listLimits } from './resource-limits.ts';
import { type Resources, UNLIMITED } from './resources.ts';
import type { ServiceName } from './service-name.ts';
import { type ServiceFile, serviceSchema } from './service-schema.ts';
import type { EnvironmentFile, ServiceSpec, StopMethod } from './service-spec.ts';

/** What a definition takes from where it lies. */
export interface DefinitionContext {
  /** The name where `application` is omitted; `null` where the place gives none. */
  readonly defaultName: ServiceName | null;
  /** Set where `application`, if given, must be this name: the folder of an auto service. */
  readonly requiredName: ServiceName | null;
  /** Absolute; relative working directories are resolved against it. */
  readonly baseDirectory: string;
  /** Absolute; `null` where `process.working_directory` must be given. */
  readonly defaultWorkingDirectory: string | null;
  /** These two apply where the definition names neither user nor group. */
  readonly defaultUser: string | null;
  readonly defaultGroup: string | null;
}

/** Checks a raw definition and fills in every default, or says all that is wrong with it. */
export function interpretService(
  raw: unknown,
  context: DefinitionContext,
): Interpreted<ServiceSpec> {
  const result = interpret(serviceSchema, raw, {
    checks: [...CHECKS, ...contextChecks(context)],
    foreignWords: serviceWords,
  });
  if (!result.ok) return result;
  const name = result.value.application ?? context.defaultName;
  if (name === null) return { ok: false, issues: [NAMELESS] };
  return { ok: true, value: normalise(result.value, name, context) };
}

const NAMELESS: ConfigIssue = {
  path: ['application'],
  at: 'value',
  message: 'expected a service name here, as the name of the file is none, got nothing',
};

const CHECKS: readonly Check[] = [
  exclusive(['process', 'stop_signal'], ['process', 'stop_command']),
  exclusive(['process', 'schedule'], ['restart_policy']),
  jobIssues,
  environmentIssues,
  escapingPaths,
];

function contextChecks(context: DefinitionContext): readonly Check[] {
  const checks: Check[] = [];
  if (context.defaultWorkingDirectory === null) {
    checks.push(required(['process', 'working_directory'], 'a path'));
  }
  const { requiredName } = context;
  if (requiredName !== null) {
    checks.push((raw) => {
      const name = valueAt(raw, ['application']);
      const message = `expected "${requiredName}" (the name of its folder), got ${describeValue(name)}`;
      return name === undefined || name === requiredName
        ? []
        : [{ path: ['application'], at: 'value', message }];
    });
  }
  return checks;
}

/** What no schema sees: a name given twice, a value that stands for something that it cannot be. */
function environmentIssues(raw: unknown): readonly ConfigIssue[] {
  const list = valueAt(raw, ['process', 'environment']);
  if (!Array.isArray(list)) return [];
  const seen = new Set<unknown>();
  return list.flatMap((entry: unknown, index): readonly ConfigIssue[] => {
    if (!isMap(entry)) return [];
    const path = ['process', 'environment', index];
    const { name, value } = entry;
    const issues: ConfigIssue[] = [];
    if (typeof name === 'string' && seen.has(name)) {
      const message = `expected each variable once, got ${describeValue(name)} again`;
      issues.push({ path: [...path, 'name'], at: 'value', message });
    }
    seen.add(name);
    const meant = typeof value === 'string' ? parseEnvironmentValue(value) : null;
    if (meant?.ok === false) {
      const message = `expected ${meant.expected}, got another value`;
      issues.push({ path: [...path, 'value'], at: 'value', message });
    }
    return issues;
  });
}

/** An absolute path says where it leads; a relative one is of the service's own folder. */
function escapingPaths(raw: unknown): readonly ConfigIssue[] {
  const list = valueAt(raw, ['provisioning']);
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index): readonly ConfigIssue[] => {
    const written = isMap(entry) ? textOf(entry.path) : undefined;
    if (written === undefined || !/^\.\.(?:\/|$)/.test(posix.normalize(written))) return [];
    const message = `expected a path inside process.working_directory (or an absolute one), got ${describeValue(written)}`;
    return [{ path: ['provisioning', index, 'path'], at: 'value', message }];
  });
}

function normalise(file: ServiceFile, name: ServiceName, context: DefinitionContext): ServiceSpec {
  const process = file.process;
  const directory = process.working_directory ?? context.defaultWorkingDirectory ?? '.';
  const workingDirectory = posix.resolve(context.baseDirectory, directory);
  const namesAccount = process.user !== undefined || process.group !== undefined;
  return {
    name,
    description: file.description,
    labels: Object.fromEntries(Object.entries(file.labels).toSorted(byKey)),
    enabled: file.global.enabled,
    workingDirectory,
    startCommand: process.start_command,
    stop: stopMethod(process),
    stopGraceMs: process.stop_grace_period_ms,
    user: process.user ?? (namesAccount ? null : context.defaultUser),
    group: process.group ?? (namesAccount ? null : context.defaultGroup),
    // Sorted where order means nothing, so that reordering a file is no change of the spec.
    environment: process.environment.toSorted((a, b) => compare(a.name, b.name)),
    environmentFiles: process.env_file.map((path) => environmentFile(path, workingDirectory)),
    inheritEnvironment: process.inherit_environment,
    successExitCodes: [...new Set(process.success_exit_codes)].toSorted((a, b) => a - b),
    umask: process.umask,
    nice: process.nice,
    oomScoreAdjust: process.oom_score_adj ?? null,
    limits: listLimits(process.limits),
    noNewPrivileges: process.no_new_privileges,
    ambientCapabilities: [...new Set(process.ambient_capabilities)].toSorted(compare),
    logs: logSpec(file.logs, workingDirectory),
    resources: resourcesOf(file.resources),
    restart: restartSpec(file.restart_policy),
    job: jobSpec(process),
    provisioning: provisioningEntries(file.provisioning, workingDirectory),
  };
}

function logSpec(logs: ServiceFile['logs'], workingDirectory: string): ServiceSpec['logs'] {
  const logPath = (path: string) => posix.resolve(workingDirectory, path);
  return {
    stdout: logPath(logs.stdout),
    stderr: logPath(logs.stderr),
    stopCommandStdout: logPath(logs.stop_command_stdout),
    stopCommandStderr: logPath(logs.stop_command_stderr),
    rotation: {
      mode: logs.rotation_mode,
      maxBytes: logs.rotation_size,
      backups: logs.rotation_backups,
      frequency: logs.rotation_frequency,
      maxAgeMs: logs.rotation_max_age_ms ?? null,
      compress: logs.compression_enabled,
    },
    timestamps: logs.timestamps,
    maxTotalBytes: logs.max_total_size ?? null,
    hints: [...new Set(logs.hints.map(logPath))],
  };
}

/** As systemd.exec(5) has it: a hyphen before the path says that the file may be missing. */
function environmentFile(written: string, workingDirectory: string): EnvironmentFile {
  const isOptional = written.startsWith('-');
  const path = posix.resolve(workingDirectory, isOptional ? written.slice(1) : written);
  return { path, isOptional };
}

function stopMethod(process: ServiceFile['process']): StopMethod {
  return process.stop_command === undefined
    ? { kind: 'signal', signal: process.stop_signal ?? 'SIGTERM' }
    : { kind: 'command', argv: process.stop_command };
}

function restartSpec(policy: ServiceFile['restart_policy']): ServiceSpec['restart'] {
  const backoffMs = policy.restart_backoff_ms;
  return {
    policy: policy.policy,
    backoffMs,
    backoffMaxMs: policy.backoff_max_ms ?? Math.max(60_000, backoffMs),
    maxRestarts: policy.tolerance.max_restarts,
    toleranceMs: policy.tolerance.duration,
  };
}

function resourcesOf(keys: ServiceFile['resources']): Resources {
  if (keys === undefined) return UNLIMITED;
  return {
    maxCpu: keys.max_cpu ?? null,
    maxMemory: keys.max_memory ?? null,
    memoryHigh: keys.memory_high ?? null,
    maxSwap: keys.max_swap ?? null,
    maxPids: keys.max_pids ?? null,
    cpuWeight: keys.cpu_weight ?? null,
    ioWeight: keys.io_weight ?? null,
    ioBandwidth: (keys.io_bandwidth ?? []).map((limits) => ({
      device: limits.device,
      readBytesPerSecond: limits.max_read_bytes_per_second ?? null,
      writeBytesPerSecond: limits.max_write_bytes_per_second ?? null,
      readIops: limits.max_read_iops ?? null,
      writeIops: limits.max_write_iops ?? null,
    })),
    oom: keys.oom ?? 'group',
  };
}

function provisioningEntries(
  entries: ServiceFile['provisioning'] = [],
  workingDirectory: string,
): readonly ProvisioningEntry[] {
  return entries.map(({ path, ownership, mode, add_net_bind_capability }) => ({
    path: posix.resolve(workingDirectory, path),
    owner: ownership?.owner ?? null,
    group: ownership?.group ?? null,
    recursive: ownership?.recursive ?? false,
    mode: mode ?? null,
    addNetBindCapability: add_net_bind_capability ?? false,
  }));
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return compare(a, b);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
