/** A declared environment, by the way in which it reaches the command. */
export interface LaunchEnvironment {
  /** What the launching shells are given: they pass it on untouched, and it has no power over them. */
  readonly inherited: Readonly<Record<string, string>>;
  /**
   * Those of {@link inherited} that carry an assignment, `NAME=value`, to env(1), which replaces them
   * by it, last and as the service's own user. Its arguments are no way: anybody may read them.
   */
  readonly carriers: readonly string[];
}

/** Names that dash or bash set, drop or take a meaning from. */
const OF_SHELLS = new Set(
  (
    '_ PWD OLDPWD SHLVL PPID IFS OPTIND OPTARG OPTERR PS1 PS2 PS4 ENV LINENO UID EUID GROUPS RANDOM ' +
    'SRANDOM SECONDS EPOCHSECONDS EPOCHREALTIME SHELLOPTS POSIXLY_CORRECT HISTCMD DIRSTACK ' +
    'FUNCNAME PIPESTATUS CDPATH'
  ).split(' '),
);

/**
 * What the C library takes orders from, and therefore ignores in set-user-id programs (ld.so(8),
 * glibc's unsecvars.h): it must not reach the part of the launch that runs as root.
 */
const OF_LIBC = new Set(
  (
    'GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH MALLOC_TRACE NIS_PATH ' +
    'NLSPATH RESOLV_HOST_CONF RES_OPTIONS TMPDIR TZDIR'
  ).split(' '),
);

/** Variables of the launching script itself begin so, and so must no other. */
export const OWN_PREFIX = '__pm';

/** Sorts an environment into what a shell may carry and what it may not. */
export function splitEnvironment(environment: Readonly<Record<string, string>>): LaunchEnvironment {
  const entries = Object.entries(environment);
  const harmless = entries.filter(([name, value]) => isHarmless(name, value));
  const carried = entries
    .filter(([name, value]) => !isHarmless(name, value))
    .map(([name, value], at) => [`${OWN_PREFIX}_${at}`, `${name}=${value}`] as const);
  return {
    inherited: Object.fromEntries([...harmless, ...carried]),
    carriers: carried.map(([carrier]) => carrier),
  };
}

function isHarmless(name: string, value: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return false;
  if (OF_SHELLS.has(name) || OF_LIBC.has(name)) return false;
  if (/^(LD_|BASH|MALLOC_)/.test(name) || name.startsWith(OWN_PREFIX)) return false;
  // A locale can be the path of a folder with files for the C library to load.
  return !(/^(LANG|LANGUAGE|LC_[A-Z]+)$/.test(name) && value.includes('/'));
}
