import * as z from 'zod/mini';
import { DURATION_GRAMMAR, parseDuration } from '../lib/duration.ts';
import { formatFileMode, parseFileMode } from '../lib/file-mode.ts';
import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';
import { CAPABILITY_NAMES, parseCapabilityName } from './capability-names.ts';
import { ENVIRONMENT_VALUE_PATTERN } from './environment-value.ts';
import { parseLocalTime, parseSchedule, parseTimeZone } from './job-fields.ts';
import { DEFAULT_ROTATION } from './log-settings.ts';
import { resourceLimits } from './resource-limits.ts';
import {
  account,
  anyScalar,
  argv,
  cpus,
  duration,
  fileMode,
  flag,
  listOf,
  mapOf,
  milliseconds,
  oneOf,
  orMax,
  path,
  positiveSize,
  quantity,
  section,
  size,
  sizeOrMax,
  wholeNumber,
} from './schema-parts.ts';
import { parseServiceName, SERVICE_NAME, SERVICE_NAME_RULE } from './service-name.ts';
import { parseSignalName, SIGNAL_NAMES } from './signal-names.ts';

/** Also numbers are names. */
const NAME_FORM = { json: { type: ['string', 'number', 'boolean'], pattern: SERVICE_NAME.source } };

const serviceName = quantity((value) => {
  const name = parseServiceName(value);
  return name === null ? unparsed(SERVICE_NAME_RULE) : parsed(name);
}, NAME_FORM);

const environmentVariable = section({
  name: quantity(
    (value) =>
      value === '' || /[=\0]/.test(value)
        ? unparsed('the name of a variable, without "="')
        : parsed(value),
    { json: { type: ['string', 'number', 'boolean'], pattern: '^[^=]+$' } },
  ),
  // Values may be secrets, so no message shows one.
  value: anyScalar('a string', {
    secret: true,
    json: { type: ['string', 'number', 'boolean'], pattern: ENVIRONMENT_VALUE_PATTERN },
  }),
});

const environmentFile = quantity(
  (value) =>
    /^-?[^\0-][^\0]*$/.test(value)
      ? parsed(value)
      : unparsed('a path, or a hyphen and a path that may be missing'),
  { json: { type: ['string', 'number', 'boolean'], pattern: '^-?[^-]' } },
);

const umask = quantity(
  (value) => {
    const mode = parseFileMode(value);
    return mode.ok && mode.value <= 0o777 ? mode : unparsed('an octal umask such as 0022');
  },
  {
    json: { type: ['integer', 'string'], minimum: 0, pattern: '^(?:0o)?0*[0-7]{1,3}$' },
    show: formatFileMode,
  },
);

const timeLimit = quantity(
  (value): Parsed<number | null> => {
    if (value === 'never') return parsed(null);
    const limit = parseDuration(value);
    return limit.ok ? limit : unparsed(`${limit.expected}, or never`);
  },
  { json: { type: 'string', minLength: 1, pattern: `^never$|${DURATION_GRAMMAR.source}` } },
);

const signalName = quantity(parseSignalName, {
  json: {
    anyOf: [
      { enum: SIGNAL_NAMES },
      { type: 'integer', minimum: 1, maximum: 31 },
      { type: 'string', pattern: anyCase('SIG', SIGNAL_NAMES) },
    ],
  },
});

const capabilityName = quantity(parseCapabilityName, {
  json: {
    anyOf: [
      { enum: CAPABILITY_NAMES },
      { type: 'string', pattern: anyCase('CAP_', CAPABILITY_NAMES) },
    ],
  },
});

/** What its fields may say is beyond a pattern: how many there are is not. */
const schedule = quantity(parseSchedule, {
  json: { type: 'string', pattern: '^\\s*(?:[0-9A-Za-z*,/-]+\\s+){4}[0-9A-Za-z*,/-]+\\s*$' },
});

const localTime = quantity(parseLocalTime, {
  json: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d(?: \\d\\d:\\d\\d:\\d\\d)?$' },
});

const processKeys = section({
  working_directory: z.optional(path),
  start_command: z._default(argv, ['./run.sh']),
  stop_signal: z.optional(signalName),
  stop_command: z.optional(argv),
  stop_grace_period_ms: z._default(milliseconds, 5_000),
  environment: z._default(listOf('a list of {name, value}', environmentVariable), []),
  env_file: z._default(listOf('a list of paths', environmentFile), []),
  inherit_environment: z._default(flag(), false),
  user: z.optional(account),
  group: z.optional(account),
  success_exit_codes: z._default(
    listOf('a list of exit codes', wholeNumber('an exit code', 0, 255)),
    [0],
  ),
  umask: z._default(umask, 0o022),
  nice: z._default(wholeNumber('a nice value', -20, 19), 0),
  oom_score_adj: z.optional(wholeNumber('a score', -1000, 1000)),
  limits: z.prefault(resourceLimits, {}),
  no_new_privileges: z._default(flag(), false),
  ambient_capabilities: z._default(listOf('a list of capabilities', capabilityName), []),
  schedule: z.optional(schedule),
  not_before: z.optional(localTime),
  not_after: z.optional(localTime),
  max_time_per_run: z.optional(timeLimit),
  timezone: z.optional(quantity(parseTimeZone)),
  catch_up: z._default(oneOf('none', 'last'), 'none'),
  jitter: z._default(duration, 0),
  retries: z._default(wholeNumber('a number', 0), 0),
  retry_delay: z._default(duration, 10_000),
  expect_within: z.optional(duration),
});

const logKeys = section({
  stdout: z._default(path, './logs/stdout.log'),
  stderr: z._default(path, './logs/stderr.log'),
  stop_command_stdout: z._default(path, './logs/stop_command_stdout.log'),
  stop_command_stderr: z._default(path, './logs/stop_command_stderr.log'),
  rotation_mode: z._default(oneOf('size', 'time'), DEFAULT_ROTATION.mode),
  rotation_size: z._default(positiveSize, DEFAULT_ROTATION.maxBytes),
  rotation_backups: z._default(wholeNumber('a number', 0, 1_000), DEFAULT_ROTATION.backups),
  rotation_frequency: z._default(
    oneOf('minutely', 'hourly', 'daily', 'weekly', 'monthly', 'none'),
    DEFAULT_ROTATION.frequency,
  ),
  rotation_max_age_ms: z.optional(milliseconds),
  compression_enabled: z._default(flag(), DEFAULT_ROTATION.compress),
  hints: z._default(listOf('a list of paths', path), []),
  timestamps: z._default(flag(), false),
  max_total_size: z.optional(positiveSize),
});

const weight = z.optional(wholeNumber('a weight', 1, 10_000));

const perSecond = z.optional(size);

const DEVICE = /^(?:\d+:\d+|\/dev\/.+)$/;

const device = quantity(
  (value) => (DEVICE.test(value) ? parsed(value) : unparsed('"major:minor" or a path below /dev')),
  { json: { type: 'string', pattern: DEVICE.source } },
);

const resourceKeys = section({
  max_cpu: z.optional(cpus),
  max_memory: z.optional(sizeOrMax),
  max_swap: z.optional(sizeOrMax),
  memory_high: z.optional(sizeOrMax),
  max_pids: z.optional(
    orMax(parseCount, /^[1-9]\d{0,9}$/, {
      json: { type: ['integer', 'string'], minimum: 1 },
    }),
  ),
  cpu_weight: weight,
  io_weight: weight,
  io_bandwidth: z.optional(
    listOf(
      'a list of devices with their limits',
      section({
        device,
        max_read_bytes_per_second: perSecond,
        max_write_bytes_per_second: perSecond,
        max_read_iops: z.optional(wholeNumber('a number', 1)),
        max_write_iops: z.optional(wholeNumber('a number', 1)),
      }),
    ),
  ),
  oom: z.optional(oneOf('group', 'process')),
});

const provisioning = listOf(
  'a list of provisioning entries',
  section({
    path,
    ownership: z.optional(
      section({
        owner: z.optional(account),
        group: z.optional(account),
        recursive: z.optional(flag()),
      }),
    ),
    mode: z.optional(fileMode),
    add_net_bind_capability: z.optional(flag()),
  }),
);

const restartPolicy = section({
  policy: z._default(oneOf('always', 'on-failure', 'never'), 'always'),
  restart_backoff_ms: z._default(milliseconds, 1_000),
  backoff_max_ms: z.optional(milliseconds),
  tolerance: z.prefault(
    section({
      max_restarts: z._default(wholeNumber('a number', 0), 3),
      duration: z._default(duration, 180_000),
    }),
    {},
  ),
}).check(
  z.refine((policy) => (policy.backoff_max_ms ?? Infinity) >= policy.restart_backoff_ms, {
    path: ['backoff_max_ms'],
    error: 'expected a duration of at least restart_backoff_ms, got a shorter one',
  }),
);

/** A service definition as it is written: all keys, those of later issues too. */
export const serviceSchema = section({
  application: z.optional(serviceName),
  description: z._default(anyScalar('a text'), ''),
  labels: z._default(mapOf('a map of labels', anyScalar('a text')), {}),
  process: z.prefault(processKeys, {}),
  logs: z.prefault(logKeys, {}),
  resources: z.optional(resourceKeys),
  restart_policy: z.prefault(restartPolicy, {}),
  provisioning: z.optional(provisioning),
  global: z.prefault(section({ enabled: z._default(flag(), true) }), {}),
});

export type ServiceFile = z.output<typeof serviceSchema>;

/** A pattern for words in any letter case, with or without a prefix: JSON Schema has no flag for it. */
function anyCase(prefix: string, words: readonly string[]): string {
  const letters = (text: string) =>
    text.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
  const rests = words.map((word) => (word.startsWith(prefix) ? word.slice(prefix.length) : word));
  return `^(?:${letters(prefix)})?(?:${rests.map(letters).join('|')})$`;
}

function parseCount(value: string): Parsed<number> {
  return /^[1-9]\d{0,9}$/.test(value) ? parsed(Number(value)) : unparsed('a number of 1 or more');
}
