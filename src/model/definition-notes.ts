import { formatDuration } from '../lib/duration.ts';
import { formatFileMode } from '../lib/file-mode.ts';
import { formatSize } from '../lib/size.ts';
import type { ServiceFile } from './service-schema.ts';
import type { ServiceSpec } from './service-spec.ts';

/** What a generated definition says of one key. */
export interface KeyNote {
  /** For people; empty where the key says it all. */
  readonly note: string;
  /** Shown, commented out, where the key has no default: what comes after the colon. */
  readonly example?: string;
  /** The same, for what takes lines of its own. */
  readonly exampleLines?: readonly string[];
  /** Writes the default where the schema has another form of it than people. */
  readonly write?: (value: never) => string;
  /** The default that the schema does not know, since it follows from others. */
  readonly from?: (spec: ServiceSpec) => string | number | undefined;
  /** Shown as an example though it has a default: it has no effect without another key. */
  readonly isExample?: true;
  /** Of a section: the keys in it. */
  readonly keys?: Readonly<Record<string, KeyNote>>;
}

/** Total, so that a new key cannot be forgotten. */
type NotesOf<Section> = Readonly<Record<keyof NonNullable<Section>, KeyNote>>;

const LIMITS: NotesOf<ServiceFile['process']['limits']> = {
  as: { note: 'bytes of address space', example: 'unlimited' },
  core: { note: '', example: '{ soft: 0, hard: unlimited }' },
  cpu: { note: 'seconds', example: 'unlimited' },
  data: { note: 'bytes', example: 'unlimited' },
  fsize: { note: 'bytes of any file that is written', example: 'unlimited' },
  locks: { note: '', example: 'unlimited' },
  memlock: { note: 'bytes', example: '64MiB' },
  msgqueue: { note: 'bytes', example: '800KiB' },
  nice: { note: '20 is nice 0, 40 is nice -20', example: '20' },
  nofile: { note: 'open files; one number for both, soft and hard', example: '65536' },
  nproc: { note: "processes of the service's user", example: '4096' },
  rss: { note: 'bytes', example: 'unlimited' },
  rtprio: { note: '', example: '0' },
  rttime: { note: 'microseconds', example: 'unlimited' },
  sigpending: { note: '', example: '4096' },
  stack: { note: 'bytes', example: '8MiB' },
};

const PROCESS: NotesOf<ServiceFile['process']> = {
  working_directory: { note: 'relative to the folder of this file', from: () => '.' },
  start_command: { note: 'must stay in the foreground' },
  stop_signal: {
    note: 'to all processes of the service; or, instead of it, stop_command',
    from: ({ stop }) => (stop.kind === 'signal' ? stop.signal : undefined),
  },
  stop_command: { note: 'run to stop it; then remove stop_signal', example: '["./stop.sh"]' },
  stop_grace_period_ms: { note: 'what then still lives is killed' },
  environment: {
    note: 'beside PATH HOME USER LOGNAME SHELL LANG, for example:',
    exampleLines: ['environment:', '  - name: GREETING', '    value: hello'],
  },
  env_file: { note: 'files of NAME=value lines', example: '["./service.env"]' },
  inherit_environment: { note: "true: all of the daemon's environment first" },
  user: { note: 'name or number; else global.default_service_user, else root', example: 'root' },
  group: { note: "else global.default_service_group, else the user's own", example: 'root' },
  success_exit_codes: { note: 'what restart_policy on-failure takes for success' },
  umask: { note: '', write: (mode) => `"${formatFileMode(mode)}"` },
  nice: { note: '-20 to 19' },
  oom_score_adj: { note: "-1000 to 1000; else the daemon's", example: '0' },
  limits: { note: "setrlimit(2) by name; else the daemon's", keys: LIMITS },
  no_new_privileges: { note: 'true: no setuid program can gain privileges' },
  ambient_capabilities: { note: 'e.g. [net_bind_service], for a user other than root' },
  schedule: {
    note: 'makes it a job (minute hour day month weekday); then remove restart_policy',
    example: '"0 3 * * *"',
  },
  not_before: { note: 'no run before', example: '"2026-01-01"' },
  not_after: { note: 'no run after', example: '"2026-12-31 23:59:59"' },
  max_time_per_run: {
    note: 'a run that takes longer is stopped',
    example: 'never',
  },
  timezone: { note: 'of the schedule', example: 'Europe/Berlin' },
  catch_up: { note: 'last: run once what was missed', example: 'none', isExample: true },
  jitter: { note: 'a run begins up to so much later', example: '30s', isExample: true },
  retries: { note: 'of a run that failed', example: '0', isExample: true },
  retry_delay: { note: '', example: '1m', isExample: true },
  expect_within: { note: 'else it is reported as missing', example: '1d' },
};

const LOGS: NotesOf<ServiceFile['logs']> = {
  stdout: { note: 'relative to working_directory' },
  stderr: { note: '' },
  stop_command_stdout: { note: '' },
  stop_command_stderr: { note: '' },
  rotation_mode: { note: 'size or time', example: 'size' },
  rotation_size: { note: '', example: '10m', write: (bytes) => formatSize(bytes) },
  rotation_backups: { note: 'rotated files to keep', example: '10' },
  rotation_frequency: {
    note: 'of mode time: minutely hourly daily weekly monthly none',
    example: 'daily',
  },
  rotation_max_age_ms: { note: 'older rotated files are removed', example: '604800000' },
  compression_enabled: { note: 'gzip what is rotated', example: 'true' },
  hints: { note: 'files that the service writes itself, to be shown', example: '["./app.log"]' },
  timestamps: { note: 'before each line', example: 'false' },
  max_total_size: { note: 'of all of it', example: '1GiB', write: (bytes) => formatSize(bytes) },
};

const RESOURCES: NotesOf<ServiceFile['resources']> = {
  max_cpu: { note: 'CPUs, or thousandths: 100m', example: '1.5' },
  max_memory: { note: '', example: '512MiB' },
  max_swap: { note: '0: none', example: '0' },
  memory_high: { note: 'slowed down from here on', example: '384MiB' },
  max_pids: { note: 'processes and threads', example: '500' },
  cpu_weight: { note: '1 to 10000', example: '100' },
  io_weight: { note: '1 to 10000', example: '100' },
  io_bandwidth: {
    note: 'by device, for example:',
    exampleLines: [
      'io_bandwidth:',
      '  - device: /dev/sda',
      '    max_read_bytes_per_second: 100MB',
      '    max_write_bytes_per_second: 50MB',
      '    max_read_iops: 1000',
      '    max_write_iops: 500',
    ],
  },
  oom: { note: 'group: all of its processes go when memory ran out; or process', example: 'group' },
};

const TOLERANCE: NotesOf<ServiceFile['restart_policy']['tolerance']> = {
  max_restarts: { note: 'so many' },
  duration: { note: 'within so long; the next failure is final', write: formatDuration },
};

const RESTART_POLICY: NotesOf<ServiceFile['restart_policy']> = {
  policy: { note: 'always, on-failure or never' },
  restart_backoff_ms: { note: 'doubles with each failure in a row' },
  backoff_max_ms: { note: 'up to this', from: ({ restart }) => restart.backoffMaxMs },
  tolerance: { note: '', keys: TOLERANCE },
};

/** Every key of a definition, in the order in which people look for them. */
export const DEFINITION_NOTES: NotesOf<ServiceFile> = {
  application: { note: "the folder's name, and nothing else", example: 'name' },
  description: { note: 'shown to people' },
  labels: { note: 'e.g. { team: web }' },
  global: { note: '', keys: { enabled: { note: 'false: runs only when an operator forces it' } } },
  process: { note: '', keys: PROCESS },
  logs: { note: '', keys: LOGS },
  restart_policy: { note: '', keys: RESTART_POLICY },
  resources: { note: 'else without limit', keys: RESOURCES },
  provisioning: {
    note: 'done once, before the first start, for example:',
    exampleLines: [
      'provisioning:',
      '  - path: ./data',
      '    ownership:',
      '      owner: www-data',
      '      group: www-data',
      '      recursive: true',
      '    mode: "0750"',
      '    add_net_bind_capability: false',
    ],
  },
};
