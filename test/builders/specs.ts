import type { DesiredService } from '../../src/model/desired.ts';
import { DEFAULT_ROTATION } from '../../src/model/log-settings.ts';
import type { ProvisioningEntry } from '../../src/model/provisioning.ts';
import { UNLIMITED } from '../../src/model/resources.ts';
import { parseServiceName, type ServiceName } from '../../src/model/service-name.ts';
import type {
  AcceptedSpec,
  JobSpec,
  LogSettings,
  RestartSpec,
  ServiceSpec,
} from '../../src/model/service-spec.ts';

/** A valid name from a literal. */
export function name(text: string): ServiceName {
  const parsed = parseServiceName(text);
  if (parsed === null) throw new Error(`not a service name: ${text}`);
  return parsed;
}

export const WEB = name('web');

/** How logs are kept by default. */
export const LOG_SETTINGS: LogSettings = {
  rotation: DEFAULT_ROTATION,
  timestamps: false,
  maxTotalBytes: null,
};

type SpecChanges = Partial<Omit<ServiceSpec, 'restart'>> & {
  readonly restart?: Partial<RestartSpec>;
};

/** A spec with every default, changed where told. */
export function spec(changes: SpecChanges = {}): ServiceSpec {
  const { restart, ...rest } = changes;
  return {
    name: WEB,
    description: '',
    labels: {},
    enabled: true,
    workingDirectory: '/srv/web',
    startCommand: ['./run.sh'],
    stop: { kind: 'signal', signal: 'SIGTERM' },
    stopGraceMs: 5_000,
    user: null,
    group: null,
    environment: [],
    environmentFiles: [],
    inheritEnvironment: false,
    successExitCodes: [0],
    umask: 0o022,
    nice: 0,
    oomScoreAdjust: null,
    limits: [],
    noNewPrivileges: false,
    ambientCapabilities: [],
    logs: {
      stdout: '/srv/web/logs/stdout.log',
      stderr: '/srv/web/logs/stderr.log',
      stopCommandStdout: '/srv/web/logs/stop_command_stdout.log',
      stopCommandStderr: '/srv/web/logs/stop_command_stderr.log',
      ...LOG_SETTINGS,
      hints: [],
    },
    resources: UNLIMITED,
    restart: {
      policy: 'always',
      backoffMs: 1_000,
      backoffMaxMs: 60_000,
      maxRestarts: 3,
      toleranceMs: 180_000,
      ...restart,
    },
    job: null,
    provisioning: [],
    ...rest,
  };
}

/** A job with every default, due every hour. */
export function job(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    schedule: '0 * * * *',
    timezone: 'UTC',
    notBefore: null,
    notAfter: null,
    maxTimePerRunMs: null,
    catchUp: 'none',
    jitterMs: 0,
    retries: 0,
    retryDelayMs: 10_000,
    expectWithinMs: null,
    ...changes,
  };
}

/** A provisioning entry that gives the working directory to a user, changed where told. */
export function entry(changes: Partial<ProvisioningEntry> = {}): ProvisioningEntry {
  return {
    path: '/srv/web',
    owner: 'www-data',
    group: null,
    recursive: false,
    mode: null,
    addNetBindCapability: false,
    ...changes,
  };
}

/** An accepted spec; `generation` doubles as its restart hash unless one is given. */
export function accepted(
  changes: SpecChanges = {},
  generation = 1,
  restartHash = `hash-${generation}`,
): AcceptedSpec {
  return {
    spec: spec(changes),
    generation,
    sourceFile: '/etc/pm/config.d/web.yaml',
    source: 'config:/etc/pm/config.d',
    isRootsOwn: true,
    restartHash,
  };
}

/** A service that is defined and valid. */
export function desired(acceptedSpec: AcceptedSpec | null = accepted()): DesiredService {
  return { name: acceptedSpec?.spec.name ?? WEB, accepted: acceptedSpec, trouble: null };
}
