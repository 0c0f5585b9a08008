import type { Identity } from '../host/identity.ts';
import type { ServiceSpec, Variable } from '../model/service-spec.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The environment of a service's processes: `PATH HOME USER LOGNAME SHELL LANG` of its user, plus
 * what is declared (the later one of two counts); all of the daemon's first, only with `inherit_environment`.
 */
export function serviceEnvironment(
  spec: ServiceSpec,
  declared: readonly Variable[],
  identity: Identity,
  daemonEnvironment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const inherited = Object.entries(spec.inheritEnvironment ? daemonEnvironment : {});
  return {
    ...Object.fromEntries(
      inherited.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    ...userEnvironment(identity, daemonEnvironment),
    ...(spec.inheritEnvironment && daemonEnvironment.PATH ? { PATH: daemonEnvironment.PATH } : {}),
    ...Object.fromEntries(declared.map(({ name, value }) => [name, value])),
  };
}

/** What everything that is started for a user has: `PATH HOME USER LOGNAME SHELL LANG`. */
export function userEnvironment(
  identity: Identity,
  daemonEnvironment: Readonly<Record<string, string | undefined>>,
) {
  return {
    PATH: DEFAULT_PATH,
    HOME: identity.home,
    USER: identity.userName,
    LOGNAME: identity.userName,
    SHELL: identity.shell,
    LANG: daemonEnvironment.LANG ?? 'C.UTF-8',
  };
}
