import { type ConfigIssue, valueAt } from './config-issue.ts';
import type { DaemonFile } from './daemon-schema.ts';
import { Literal } from './literal.ts';

/** Somebody who may use the console. */
export interface ConsoleUser {
  readonly name: string;
  /** bcrypt. */
  readonly hash: string;
}

/** How what the console says and hears is encrypted. */
export interface ConsoleTls {
  /** Absolute paths; `null`: a certificate is made for it. */
  readonly files: { readonly cert: string; readonly key: string } | null;
  /** Whose certificates clients must have; `null`: they need none. */
  readonly clientCa: string | null;
  /** The name that clients use, beside the host's own. */
  readonly clientHost: string | null;
}

/** The web console as it is configured, defaults filled in. */
export interface ConsoleConfig {
  /** `null`: wherever it is safe. */
  readonly bind: string | null;
  readonly port: number;
  readonly users: readonly ConsoleUser[];
  /** The user that its process runs as. */
  readonly user: string;
  /** `null` is without limit. */
  readonly memoryMaxBytes: number | null;
  /** Begins and ends with a slash. */
  readonly basePath: string;
  readonly allowPlaintextRemote: boolean;
  /** `null`: nothing is. */
  readonly tls: ConsoleTls | null;
  /** What reads `/metrics` without a user; `null`: nobody does. */
  readonly metricsToken: string | null;
}

/** Where the console listens. */
export interface Exposure {
  readonly bind: string;
  /** Why that is not the address that was asked for. */
  readonly reason: string | null;
}

/** The password of the manual's example and of its default is the user's name. */
const BUILT_IN_HASH = '$2a$10$jqNWtAzhWEVlPnvJwyI6g.Nwb8YPU5ypCED9lBEhahUSs13ac1MPe';
const EVERYWHERE = '0.0.0.0';
const LOOPBACK = '127.0.0.1';
const LOOPBACK_6 = '::1';
const PORT = 9_001;
const MEMORY_BYTES = 256 * 1_048_576;

/** The console of a master config, its paths resolved; `null` when there is none. Pure. */
export function consoleConfig(
  file: DaemonFile['web_console'],
  resolve: (path: string) => string,
): ConsoleConfig | null {
  if (file === undefined || !file.enabled) return null;
  const users = file.auth?.basic?.users ?? [`admin:${BUILT_IN_HASH}`];
  return {
    bind: file.bind ?? null,
    port: file.port ?? PORT,
    users: users.map((entry) => {
      const at = entry.indexOf(':');
      return { name: entry.slice(0, at), hash: entry.slice(at + 1) };
    }),
    user: file.user ?? 'nobody',
    memoryMaxBytes: file.memory_max === undefined ? MEMORY_BYTES : file.memory_max,
    basePath: `/${(file.base_path ?? '/processmaster/').replaceAll(/^\/+|\/+$/g, '')}/`.replace(
      '//',
      '/',
    ),
    allowPlaintextRemote: file.allow_plaintext_remote ?? false,
    tls: file.tls?.enabled === true ? tlsOf(file.tls, resolve) : null,
    metricsToken: file.metrics_token ?? null,
  };
}

type TlsFile = NonNullable<NonNullable<DaemonFile['web_console']>['tls']>;

function tlsOf(file: TlsFile, resolve: (path: string) => string): ConsoleTls {
  const { server_cert_pem: cert, server_key_pem: key, ca_pem: ca, client_host, mtls } = file;
  const isGiven = cert !== undefined && key !== undefined;
  return {
    files: isGiven ? { cert: resolve(cert), key: resolve(key) } : null,
    clientCa: mtls === true && ca !== undefined ? resolve(ca) : null,
    clientHost: client_host?.toLowerCase() ?? null,
  };
}

/** What a console's TLS needs that one key alone cannot say. Pure. */
export function tlsIssues(raw: unknown): readonly ConfigIssue[] {
  const has = (key: string) => valueAt(raw, ['web_console', 'tls', key]) !== undefined;
  const issue = (key: string, message: string): ConfigIssue => ({
    path: ['web_console', 'tls', key],
    at: 'key',
    message,
  });
  return [
    ...(has('server_cert_pem') && !has('server_key_pem')
      ? [issue('server_cert_pem', 'server_key_pem is missing, the key of this certificate')]
      : []),
    ...(has('server_key_pem') && !has('server_cert_pem')
      ? [issue('server_key_pem', 'server_cert_pem is missing, the certificate of this key')]
      : []),
    ...(isTrue(valueAt(raw, ['web_console', 'tls', 'mtls'])) && !has('ca_pem')
      ? [issue('mtls', 'ca_pem is missing, whose certificates clients must have')]
      : []),
  ];
}

function isTrue(raw: unknown): boolean {
  return raw === true || (raw instanceof Literal && raw.value === true);
}

/** Where a console may listen: not where others would hear passwords, or could guess them. Pure. */
export function exposureOf({ bind, users, allowPlaintextRemote, tls }: ConsoleConfig): Exposure {
  const wanted = bind ?? EVERYWHERE;
  if (isLoopback(wanted)) return { bind: wanted, reason: null };
  const why = users.some(({ hash }) => hash === BUILT_IN_HASH)
    ? 'admin has the password of the manual (set web_console.auth.basic.users, see pmctl password generate)'
    : allowPlaintextRemote || tls !== null
      ? null
      : 'without TLS everybody on the way could read passwords (set web_console.tls, or allow_plaintext_remote: true)';
  if (why === null) return { bind: wanted, reason: null };
  const own = wanted.includes(':') ? LOOPBACK_6 : LOOPBACK;
  if (bind === null) return { bind: own, reason: null };
  return { bind: own, reason: `the web console listens on ${own} instead of ${bind}: ${why}` };
}

function isLoopback(bind: string): boolean {
  return bind === 'localhost' || bind === LOOPBACK_6 || /^127(\.\d{1,3}){3}$/.test(bind);
}
