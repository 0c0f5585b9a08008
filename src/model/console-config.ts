import type { DaemonFile } from './daemon-schema.ts';

/** Somebody who may use the console. */
export interface ConsoleUser {
  readonly name: string;
  /** bcrypt. */
  readonly hash: string;
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

/** The console of a master config; `null` when there is none. Pure. */
export function consoleConfig(file: DaemonFile['web_console']): ConsoleConfig | null {
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
    metricsToken: file.metrics_token ?? null,
  };
}

/** Where a console may listen: not where others would hear passwords, or could guess them. Pure. */
export function exposureOf({ bind, users, allowPlaintextRemote }: ConsoleConfig): Exposure {
  const wanted = bind ?? EVERYWHERE;
  if (isLoopback(wanted)) return { bind: wanted, reason: null };
  const why = users.some(({ hash }) => hash === BUILT_IN_HASH)
    ? 'admin has the password of the manual (set web_console.auth.basic.users, see pmctl password generate)'
    : allowPlaintextRemote
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
