import type { ProvisioningEntry } from './provisioning.ts';
import type { Resources } from './resources.ts';
import type { ServiceName } from './service-name.ts';

/** Signals by name, as in signal(7). */
export type SignalName = NodeJS.Signals;

export type RestartPolicyName = 'always' | 'on-failure' | 'never';

/** How a service is stopped; exactly one of the two. */
export type StopMethod =
  | { readonly kind: 'signal'; readonly signal: SignalName }
  | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]] };

/** A variable; its value as it was written, see environment-value. */
export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** A file of variables, see dotenv. */
export interface EnvironmentFile {
  /** Absolute. */
  readonly path: string;
  /** It may be missing. */
  readonly isOptional: boolean;
}

/** As a definition writes it. */
export function writtenEnvironmentFile({ path, isOptional }: EnvironmentFile): string {
  return isOptional ? `-${path}` : path;
}

/** One resource limit of setrlimit(2); `null` is unlimited. */
export interface ResourceLimit {
  /** Lower-case name without `RLIMIT_`, e.g. `nofile`. */
  readonly name: string;
  readonly soft: number | null;
  readonly hard: number | null;
}

/**
 * The validated, normalised definition of one service: every default is filled in, every path is
 * absolute, every duration is in milliseconds. Nothing here needs another look at the file.
 */
export interface ServiceSpec {
  readonly name: ServiceName;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly workingDirectory: string;
  readonly startCommand: readonly [string, ...string[]];
  readonly stop: StopMethod;
  readonly stopGraceMs: number;
  /** User name or numeric uid as text; `null` means root. */
  readonly user: string | null;
  /** Group name or numeric gid as text; `null` means the user's primary group. */
  readonly group: string | null;
  readonly environment: readonly Variable[];
  /** Read at each start, in this order, before {@link environment}, which wins. */
  readonly environmentFiles: readonly EnvironmentFile[];
  readonly inheritEnvironment: boolean;
  readonly successExitCodes: readonly number[];
  /** File mode creation mask. */
  readonly umask: number;
  readonly nice: number;
  /** `null` leaves the daemon's own value, -1000..1000 otherwise (proc(5), oom_score_adj). */
  readonly oomScoreAdjust: number | null;
  readonly limits: readonly ResourceLimit[];
  readonly noNewPrivileges: boolean;
  /** Lower-case capability names without `cap_`, e.g. `net_bind_service`. */
  readonly ambientCapabilities: readonly string[];
  readonly logs: LogSpec;
  readonly resources: Resources;
  readonly restart: RestartSpec;
  /** Set for a job: it runs when its schedule says so, and is not restarted when it ends. */
  readonly job: JobSpec | null;
  /** Carried out in this order. */
  readonly provisioning: readonly ProvisioningEntry[];
}

/** Absolute paths of the files that the daemon writes. */
interface LogPaths {
  readonly stdout: string;
  readonly stderr: string;
  readonly stopCommandStdout: string;
  readonly stopCommandStderr: string;
}

export type RotationFrequency = 'minutely' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'none';

/** When an output file is put aside, and for how long. */
export interface RotationSpec {
  readonly mode: 'size' | 'time';
  /** Mode `size`: a file does not grow beyond it, but for the line it ends with. */
  readonly maxBytes: number;
  /** Mode `size`: how many earlier files are kept. */
  readonly backups: number;
  /** Mode `time`: how often, on boundaries of local time. */
  readonly frequency: RotationFrequency;
  /** Earlier files are kept so long at most; `null` is for ever. */
  readonly maxAgeMs: number | null;
  /** Whether earlier files are compressed. */
  readonly compress: boolean;
}

/** How the output of a service is kept: what can change while it is being written. */
export interface LogSettings {
  readonly rotation: RotationSpec;
  /** Whether each line begins with the time at which it was received. */
  readonly timestamps: boolean;
  /** What all output files of the service may take together; `null` is without limit. */
  readonly maxTotalBytes: number | null;
}

interface LogSpec extends LogPaths, LogSettings {
  /** Absolute paths of files that the service writes by itself; only shown. */
  readonly hints: readonly string[];
}

export interface RestartSpec {
  readonly policy: RestartPolicyName;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  readonly maxRestarts: number;
  readonly toleranceMs: number;
}

/** When a job runs, and what becomes of a slot that did not go well. */
export interface JobSpec {
  /** Five cron fields, see parseCron(). */
  readonly schedule: string;
  /** An IANA name; `null` is the host's own. Also for the two bounds. */
  readonly timezone: string | null;
  /** `YYYY-MM-DD`, or with ` HH:MM:SS`; `null` is no bound. */
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** A run that takes longer is stopped; `null` is no limit. */
  readonly maxTimePerRunMs: number | null;
  /** Which of the slots that were missed (daemon or host down) is run after all. */
  readonly catchUp: 'none' | 'last';
  /** The most that a run begins after its slot; how much is the same for a job on one host. */
  readonly jitterMs: number;
  /** How often a run that failed is tried again. */
  readonly retries: number;
  readonly retryDelayMs: number;
  /** Longest time without a success; `null` is no such expectation. */
  readonly expectWithinMs: number | null;
}

/** A spec that is in force: which accepted change it is, and the file it came from. */
export interface AcceptedSpec {
  readonly spec: ServiceSpec;
  /** Grows by one with each accepted change of this service's spec. */
  readonly generation: number;
  readonly sourceFile: string;
  /** The source that owns the file, see {@link SourceId}. */
  readonly source: SourceId;
  /**
   * Whether nobody but root could have written that file. If others could, files that it names in
   * the environment are only read where the service's user may read them.
   */
  readonly isRootsOwn: boolean;
  /** Hash of the fields whose change restarts a running service. */
  readonly restartHash: string;
}

/** `config:<absolute folder>` or `auto:<absolute folder>`. */
export type SourceId = `config:${string}` | `auto:${string}`;
