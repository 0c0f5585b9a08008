import * as z from 'zod/mini';
import { parsed, unparsed } from '../lib/parsed.ts';
import {
  account,
  argv,
  cpus,
  duration,
  fileMode,
  flag,
  listOf,
  mapOf,
  oneOf,
  path,
  positiveSize,
  quantity,
  section,
  size,
  sizeOrMax,
  text,
  wholeNumber,
} from './schema-parts.ts';
import { parseServiceName, SERVICE_NAME, SERVICE_NAME_RULE } from './service-name.ts';

const instanceName = quantity(
  (value) => (parseServiceName(value) === null ? unparsed(SERVICE_NAME_RULE) : parsed(value)),
  { json: { type: ['string', 'number', 'boolean'], pattern: SERVICE_NAME.source } },
);

const cgroupRoot = quantity(
  (value) =>
    value === 'self' || value.startsWith('/')
      ? parsed(value)
      : unparsed('the absolute path of a cgroup v2 folder, or self'),
  { json: { type: 'string', pattern: '^(?:self$|/)' } },
);

const USER_AND_HASH = /^[^\s:]{1,64}:\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

const userAndHash = quantity(
  (value) =>
    USER_AND_HASH.test(value)
      ? parsed(value)
      : unparsed('"user:hash" with a bcrypt hash (pmctl password generate makes one)'),
  { secret: true, json: { type: 'string', pattern: USER_AND_HASH.source } },
);

const TOKEN = /^[\x21-\x7e]{16,256}$/;

const token = quantity(
  (value) => (TOKEN.test(value) ? parsed(value) : unparsed('16 to 256 characters without blanks')),
  { secret: true, json: { type: 'string', pattern: TOKEN.source } },
);

const tls = section({
  enabled: z.optional(flag()),
  ca_pem: z.optional(path),
  server_cert_pem: z.optional(path),
  server_key_pem: z.optional(path),
  client_host: z.optional(text('a host name')),
  mtls: z.optional(flag()),
});

const webConsole = section({
  enabled: z._default(flag(), false),
  bind: z.optional(text('an address')),
  port: z.optional(wholeNumber('a port', 1, 65_535)),
  auth: z.optional(
    section({
      basic: z.optional(
        section({ users: z.optional(listOf('a list of "user:hash"', userAndHash)) }),
      ),
    }),
  ),
  user: z.optional(account),
  memory_max: z.optional(sizeOrMax),
  base_path: z.optional(path),
  allow_plaintext_remote: z.optional(flag()),
  metrics_token: z.optional(token),
  tls: z.optional(tls),
});

/** The master config as it is written: all keys, those of later issues too. */
export const daemonSchema = section({
  cgroup: z.prefault(
    section({
      root: z.optional(cgroupRoot),
      name: z._default(instanceName, 'processmaster'),
      memory_max: z.optional(sizeOrMax),
      memory_swap_max: z.optional(sizeOrMax),
      cpu_max: z.optional(cpus),
      subtree_control_allow: z._default(flag(), true),
    }),
    {},
  ),
  unix_socket: z.prefault(
    section({
      path: z.optional(path),
      owner: z.optional(account),
      group: z.optional(account),
      mode: z._default(fileMode, 0o660),
    }),
    {},
  ),
  global: z.prefault(
    section({
      config_directory: z.optional(path),
      auto_service_directory: z.optional(path),
      default_service_user: z.optional(account),
      default_service_group: z.optional(account),
      runtime_directory: z.optional(path),
      state_directory: z.optional(path),
      apply: z._default(oneOf('auto', 'manual'), 'auto'),
    }),
    {},
  ),
  journal: z.prefault(
    section({
      max_age: z._default(duration, 30 * 86_400_000),
      max_size: z._default(size, 64 * 1024 ** 2),
    }),
    {},
  ),
  logs: z.prefault(section({ max_total_size: z.optional(positiveSize) }), {}),
  web_console: z.optional(webConsole),
  admin_actions: z.optional(
    mapOf('a map of actions', section({ label: z.optional(text('a text')), command: argv })),
  ),
});

export type DaemonFile = z.output<typeof daemonSchema>;
