import { posix } from 'node:path';
import { type ConfigIssue, type Interpreted, valueAt } from './config-issue.ts';
import { type ConsoleConfig, consoleConfig, tlsIssues } from './console-config.ts';
import { type DaemonFile, daemonSchema } from './daemon-schema.ts';
import { masterWords } from './foreign-words.ts';
import { interpret } from './interpret.ts';
import { textOf } from './literal.ts';
import type { Resources } from './resources.ts';

/** The validated, normalised master config: defaults filled in, every path absolute. */
export interface DaemonConfig {
  readonly cgroup: {
    /** `null`: find the mount; `self`: the cgroup that the daemon was started in. */
    readonly root: string | null;
    /** Also names the instance. */
    readonly name: string;
    readonly allowSubtreeControl: boolean;
    /** Of the daemon and all services together. */
    readonly limits: Pick<Resources, 'maxMemory' | 'maxSwap' | 'maxCpu'>;
  };
  readonly socket: {
    readonly path: string;
    readonly owner: string | null;
    readonly group: string | null;
    readonly mode: number;
  };
  readonly configDirectory: string | null;
  readonly autoServiceDirectory: string | null;
  readonly apply: ApplyMode;
  readonly defaultUser: string | null;
  readonly defaultGroup: string | null;
  readonly runtimeDirectory: string;
  readonly stateDirectory: string;
  readonly journal: { readonly maxAgeMs: number; readonly maxBytes: number };
  /** What the output files of all services may take together; `null` is without limit. */
  readonly logs: { readonly maxTotalBytes: number | null };
  /** `null`: there is none. */
  readonly console: ConsoleConfig | null;
  /** In the order of the file. */
  readonly adminActions: readonly AdminAction[];
}

/** A command that operators may run, as root, by its name. */
export interface AdminAction {
  readonly id: string;
  /** What people see; the id unless the config says otherwise. */
  readonly label: string;
  readonly command: readonly [string, ...string[]];
}

/** Where definitions are, and what they take from there. */
export type SourceConfig = Pick<
  DaemonConfig,
  'configDirectory' | 'autoServiceDirectory' | 'defaultUser' | 'defaultGroup'
>;

/** Whether a change of a definition applies by itself or waits for `pmctl update`. */
export type ApplyMode = 'auto' | 'manual';

/** sun_path of unix(7), less the NUL at its end. */
const MAX_SOCKET_PATH_BYTES = 107;
const KEEPER_SOCKET = 'keeper.sock';
/** That socket must fit, too. */
const MAX_RUNTIME_PATH_BYTES = MAX_SOCKET_PATH_BYTES - KEEPER_SOCKET.length - 1;

/**
 * Checks a raw master config and fills in every default, or says all that is wrong with it.
 * Relative paths are resolved against `baseDirectory`, the folder of the file.
 */
export function interpretDaemonConfig(
  raw: unknown,
  baseDirectory: string,
): Interpreted<DaemonConfig> {
  const result = interpret(daemonSchema, raw, {
    checks: [sourceIssues, tlsIssues, actionIdIssues],
    foreignWords: masterWords,
  });
  if (!result.ok) return result;
  const config = normalise(result.value, baseDirectory);
  const [issue, ...others] = [
    ...tooLong(['unix_socket', 'path'], config.socket.path, MAX_SOCKET_PATH_BYTES),
    ...tooLong(['global', 'runtime_directory'], config.runtimeDirectory, MAX_RUNTIME_PATH_BYTES),
  ];
  return issue === undefined
    ? { ok: true, value: config }
    : { ok: false, issues: [issue, ...others] };
}

/** What a master config says of its sources, be the rest of it wrong: for finding more problems. */
export function sourcesNamedIn(raw: unknown, baseDirectory: string): SourceConfig {
  const named = (key: string) => {
    const text = textOf(valueAt(raw, ['global', key]));
    return text === undefined || text === '' || text.includes('\0') ? null : text;
  };
  const folder = (key: string) => {
    const path = named(key);
    return path === null ? null : posix.resolve(baseDirectory, path);
  };
  return {
    configDirectory: folder('config_directory'),
    autoServiceDirectory: folder('auto_service_directory'),
    defaultUser: named('default_service_user'),
    defaultGroup: named('default_service_group'),
  };
}

function sourceIssues(raw: unknown): readonly ConfigIssue[] {
  const keys = ['config_directory', 'auto_service_directory'];
  if (keys.some((key) => valueAt(raw, ['global', key]) !== undefined)) return [];
  const message = 'expected config_directory or auto_service_directory (or both), got neither';
  return [{ path: ['global'], at: 'key', message }];
}

/** Longest id that a request carries. */
const MAX_ID_LENGTH = 256;

/** An id is typed in a shell, and shown in a line. */
function actionIdIssues(raw: unknown): readonly ConfigIssue[] {
  const actions = valueAt(raw, ['admin_actions']);
  if (typeof actions !== 'object' || actions === null || Array.isArray(actions)) return [];
  return Object.keys(actions)
    .filter((id) => id === '' || id.length > MAX_ID_LENGTH || /\p{C}/u.test(id))
    .map((id) => ({
      path: ['admin_actions', id],
      at: 'key' as const,
      message: `expected a name of 1 to ${MAX_ID_LENGTH} printable characters, got ${JSON.stringify(id.slice(0, MAX_ID_LENGTH))}`,
    }));
}

function tooLong(path: readonly string[], text: string, most: number): readonly ConfigIssue[] {
  const bytes = Buffer.byteLength(text);
  if (bytes <= most) return [];
  return [{ path, at: 'value', message: `expected a path of at most ${most} bytes, got ${bytes}` }];
}

/** Where the process listens that outlives the daemon, see src/keeper. */
export function keeperSocketPath(runtimeDirectory: string): string {
  return posix.join(runtimeDirectory, KEEPER_SOCKET);
}

function normalise(file: DaemonFile, baseDirectory: string): DaemonConfig {
  const { cgroup, unix_socket: socket, global, journal } = file;
  const resolve = (path: string) => posix.resolve(baseDirectory, path);
  const runtimeDirectory = resolve(global.runtime_directory ?? `/run/${cgroup.name}`);
  return {
    cgroup: {
      root: cgroup.root ?? null,
      name: cgroup.name,
      allowSubtreeControl: cgroup.subtree_control_allow,
      limits: {
        maxMemory: cgroup.memory_max ?? null,
        maxSwap: cgroup.memory_swap_max ?? null,
        maxCpu: cgroup.cpu_max ?? null,
      },
    },
    socket: {
      path: resolve(socket.path ?? `${runtimeDirectory}/processmaster.sock`),
      owner: socket.owner ?? null,
      group: socket.group ?? null,
      mode: socket.mode,
    },
    configDirectory:
      global.config_directory === undefined ? null : resolve(global.config_directory),
    autoServiceDirectory:
      global.auto_service_directory === undefined ? null : resolve(global.auto_service_directory),
    apply: global.apply,
    defaultUser: global.default_service_user ?? null,
    defaultGroup: global.default_service_group ?? null,
    runtimeDirectory,
    stateDirectory: resolve(global.state_directory ?? `/var/lib/${cgroup.name}`),
    journal: { maxAgeMs: journal.max_age, maxBytes: journal.max_size },
    logs: { maxTotalBytes: file.logs.max_total_size ?? null },
    console: consoleConfig(file.web_console, resolve),
    adminActions: Object.entries(file.admin_actions ?? {}).map(([id, { label, command }]) => ({
      id,
      label: label ?? id,
      command,
    })),
  };
}
