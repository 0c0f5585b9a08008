import { realpathSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename } from 'node:path';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { CgroupPath } from './cgroup.ts';
import type { Identity } from './identity.ts';
import { OWN_PREFIX } from './launch-environment.ts';

/** What becomes of the process before its command runs. */
export interface LaunchSetup {
  readonly cgroup: CgroupPath;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly identity: Identity;
  readonly umask: number;
  readonly nice: number;
  readonly oomScoreAdjust: number | null;
  readonly limits: readonly LaunchLimit[];
  readonly noNewPrivileges: boolean;
  readonly ambientCapabilities: readonly string[];
}

/** See setrlimit(2); `null` is unlimited. */
interface LaunchLimit {
  /** As prlimit(1) spells it, e.g. `nofile`. */
  readonly name: string;
  readonly soft: number | null;
  readonly hard: number | null;
}

/** Precedes the name of each stage in the stage file; what follows it was said at that stage. */
export const STAGE_MARK = '@';
/** Said when exec came back. */
export const EXEC_CAME_BACK = 'exec came back';

const TOOL_FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
const FAILED = 'exit 199';

/**
 * The argv that does all of `setup` and then becomes the command, keeping its pid: a shell that
 * joins the cgroup before anything else, setpriv(1) where the identity is not the daemon's own, and
 * a shell that checks, as that identity, what it has become. Descriptor 3 is the stage file.
 * Script text holds numbers and checked names only; everything else is an argument.
 * @throws ProcessmasterError `launch_failed` when the system lacks a tool for it.
 */
export function launchArgv(
  setup: LaunchSetup,
  carriers: readonly string[],
  shell: string,
): readonly [string, ...string[]] {
  const command = commandArgv(setup.argv, carriers, shell);
  const finish = [setup.cwd, setup.argv[0], ...command];
  const join = `${setup.cgroup}/cgroup.procs`;
  if (hasDaemonIdentity(setup)) {
    const script = [...prepareScript(setup), 'shift', ...finishScript(setup)];
    return [shell, '-c', script.join('\n'), 'sh', join, ...finish];
  }
  const outer = [...prepareScript(setup), 'shift', stage('set identity'), 'exec "$@"'];
  const inner = [...verifyScript(setup), ...finishScript(setup)];
  const become = [...setprivArgv(setup), shell, '-c', inner.join('\n'), 'sh', ...finish];
  return [shell, '-c', outer.join('\n'), 'sh', join, ...become];
}

/** Root stays root, with the groups that the daemon itself has. */
function hasDaemonIdentity({
  identity,
  noNewPrivileges,
  ambientCapabilities,
}: LaunchSetup): boolean {
  const own = [...(process.getgroups?.() ?? [])].sort((a, b) => a - b);
  return (
    identity.uid === process.geteuid?.() &&
    identity.gid === process.getegid?.() &&
    identity.groups.join() === own.join() &&
    !noNewPrivileges &&
    ambientCapabilities.length === 0
  );
}

/** As root. $1 is the cgroup.procs file. What goes wrong is said in the stage file, not in the log. */
function prepareScript({ oomScoreAdjust, nice, limits }: LaunchSetup): readonly string[] {
  const lines = ['exec 4>&2 2>&3', stage('enter cgroup'), `echo 0 >"$1" || ${FAILED}`];
  if (oomScoreAdjust !== null) {
    const value = integer(oomScoreAdjust);
    lines.push(stage('set OOM score'), `echo ${value} >/proc/self/oom_score_adj || ${FAILED}`);
  }
  if (nice !== getPriority()) {
    // Without -n the value is absolute.
    lines.push(
      stage('set nice'),
      `${tool('renice')} ${integer(nice)} -p $$ >/dev/null || ${FAILED}`,
    );
  }
  if (limits.length > 0) {
    const options = limits.map(({ name, soft, hard }) => `--${name}=${bound(soft)}:${bound(hard)}`);
    if (!limits.every(({ name }) => /^[a-z]+$/.test(name)))
      throw missing('limit names in lower case');
    lines.push(
      stage('set limits'),
      `${tool('prlimit')} --pid $$ ${options.join(' ')} || ${FAILED}`,
    );
  }
  return lines;
}

/** As the service's user: reads what the kernel says that this process is, see proc_pid_status(5). */
function verifyScript({ identity, noNewPrivileges }: LaunchSetup): readonly string[] {
  const four = (id: number) => Array(4).fill(integer(id)).join('\t');
  const keys = ['Uid', 'Gid', 'Groups', ...(noNewPrivileges ? ['NoNewPrivs'] : [])];
  const values = [four(identity.uid), four(identity.gid), identity.groups.map(integer).join(' ')];
  if (noNewPrivileges) values.push('1');
  const expected = keys.map((key, at) => `${key}:${values[at]};`).join('');
  const [key, value, got] = [`${OWN_PREFIX}_key`, `${OWN_PREFIX}_value`, `${OWN_PREFIX}_got`];
  return [
    `while read -r ${key} ${value}; do`,
    `case $${key} in ${keys.map((name) => `${name}:`).join('|')}) ${got}="$${got}$${key}$${value};";; esac`,
    `case $${key} in ${keys.at(-1)}:) break;; esac`,
    'done </proc/self/status',
    `[ "$${got}" = "${expected}" ] || { echo "it is $${got} instead of ${expected}" >&3; ${FAILED}; }`,
  ];
}

/**
 * As the service's user. $1 is the folder, $2 the command's file, the rest what is executed. Shells
 * set PWD and the like themselves. If exec comes back, the trap says so: descriptor 3 is closed for
 * the command only.
 */
function finishScript({ umask }: LaunchSetup): readonly string[] {
  return [
    stage('chdir'),
    `cd -P -- "$1" || ${FAILED}`,
    stage('exec'),
    `[ -e "$2" ] || { echo 'No such file or directory' >&3; ${FAILED}; }`,
    `[ -f "$2" ] || { echo 'it is no regular file' >&3; ${FAILED}; }`,
    `[ -x "$2" ] || { echo 'Permission denied' >&3; ${FAILED}; }`,
    'shift 2',
    'unset PWD OLDPWD SHLVL',
    `umask ${umask.toString(8)}`,
    `trap 'echo ${EXEC_CAME_BACK} >&3' EXIT`,
    'exec "$@" 2>&4 3>&- 4>&-',
  ];
}

function stage(name: string): string {
  return `echo '${STAGE_MARK}${name}' >&3`;
}

/**
 * A command as somebody else, who can gain no more rights by it.
 * @throws ProcessmasterError `launch_failed` when the system lacks setpriv(1)
 */
export function become(identity: Identity, command: readonly string[]): readonly string[] {
  const rights = { noNewPrivileges: true, ambientCapabilities: [] };
  return [...setprivArgv({ identity, ...rights }), ...command];
}

type Rights = Pick<LaunchSetup, 'identity' | 'noNewPrivileges' | 'ambientCapabilities'>;

function setprivArgv(setup: Rights): readonly string[] {
  const { identity, ambientCapabilities } = setup;
  const capabilities = ambientCapabilities.map((name) => `+${name}`).join(',');
  return [
    tool('setpriv'),
    `--reuid=${integer(identity.uid)}`,
    `--regid=${integer(identity.gid)}`,
    ...(identity.groups.length === 0
      ? ['--clear-groups']
      : [`--groups=${identity.groups.map(integer).join(',')}`]),
    ...(setup.noNewPrivileges ? ['--no-new-privs'] : []),
    // An ambient capability must be inheritable first, see capabilities(7).
    ...(capabilities === ''
      ? []
      : [`--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`]),
    '--',
  ];
}

/**
 * env(1) adds what a shell would not carry, and takes out what shells other than dash add on exec. What
 * it adds is in the value of the carriers: with -S it puts that in the place of their names, whole.
 * It would take a command with a `=` for an assignment; nice(1) with nothing to do stands between.
 */
function commandArgv(
  argv: readonly [string, ...string[]],
  carriers: readonly string[],
  shell: string,
): readonly string[] {
  const leavesAlone = isDash(shell);
  if (leavesAlone && carriers.length === 0) return argv;
  const between = argv[0].includes('=') ? [tool('nice'), '-n', '0', '--'] : [];
  const unwanted = [...(leavesAlone ? [] : ['_', 'SHLVL']), ...carriers];
  const without = unwanted.flatMap((name) => ['-u', name]);
  const assignments = carriers.map((carrier) => ` \${${carrier}}`).join('');
  return [tool('env'), ...without, '-S', `--${assignments}`, ...between, ...argv];
}

let knownShell = { path: '', dev: 0, ino: 0, isDash: false };

/** Asked at each launch: the way there is followed again only when it leads to another file. */
function isDash(shell: string): boolean {
  try {
    const { dev, ino } = statSync(shell);
    const { path, dev: knownDev, ino: knownIno } = knownShell;
    if (path !== shell || knownDev !== dev || knownIno !== ino) {
      const isDash = basename(realpathSync(shell)) === 'dash';
      knownShell = { path: shell, dev, ino, isDash };
    }
    return knownShell.isDash;
  } catch (error) {
    throw missing(`the shell '${shell}': ${messageOf(error)}`);
  }
}

function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw missing(`a whole number instead of ${value}`);
  return String(value);
}

function bound(value: number | null): string {
  return value === null ? 'unlimited' : integer(value);
}

function tool(name: string): string {
  for (const folder of TOOL_FOLDERS) {
    const path = `${folder}/${name}`;
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  }
  throw missing(`the program '${name}' (install util-linux and coreutils)`);
}

function missing(what: string): ProcessmasterError {
  const message = `cannot prepare the launch: it needs ${what}`;
  return new ProcessmasterError('launch_failed', message, { stage: 'prepare' });
}
