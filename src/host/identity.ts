import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { findGroup, findUser, groupsOf, type UserEntry } from './user-database.ts';

/** Who a process runs as. */
export interface Identity {
  readonly userName: string;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups: the user's own and `gid`, each once and ascending. */
  readonly groups: readonly number[];
  readonly home: string;
  readonly shell: string;
}

/** (uid_t) -1 means "leave it", see setresuid(2). */
const MAX_ID = 0xffff_fffe;
const ROOT: UserEntry = { name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/sh' };

/**
 * Who `user` and `group` (names or numbers; `null` is not given) are: no user is root, no group is
 * the user's primary one.
 * @throws ProcessmasterError `launch_failed` at the stage `resolve user`.
 */
export async function resolveIdentity(
  user: string | null,
  group: string | null,
): Promise<Identity> {
  try {
    const entry = await resolveUser(user, group);
    const gid = group === null ? entry.gid : await resolveGroup(group);
    // A bare number is in no group but the one that was asked for.
    const own = entry.name === '' ? [] : await groupsOf(entry);
    const groups = [...new Set([...own, gid])].sort((a, b) => a - b);
    const { uid, home, shell } = entry;
    return { userName: entry.name || String(uid), uid, gid, groups, home, shell };
  } catch (error) {
    const message = `cannot run as ${describe(user, group)}: ${messageOf(error)}`;
    throw new ProcessmasterError('launch_failed', message, { stage: 'resolve user', cause: error });
  }
}

async function resolveUser(user: string | null, group: string | null): Promise<UserEntry> {
  const entry = await findUser(user ?? 'root');
  if (entry !== null) return entry;
  if (user === null) return ROOT;
  if (!isId(user)) throw unknown('user', user);
  if (group === null) {
    throw new ProcessmasterError(
      'launch_failed',
      `uid ${user} has no entry in the user database, so its group is not known (set process.group)`,
    );
  }
  return { name: '', uid: Number(user), gid: 0, home: '/', shell: '/bin/sh' };
}

async function resolveGroup(group: string): Promise<number> {
  const entry = await findGroup(group);
  if (entry !== null) return entry.gid;
  if (isId(group)) return Number(group);
  throw unknown('group', group);
}

function unknown(what: 'user' | 'group', name: string): ProcessmasterError {
  const hint = `create it, or correct process.${what}`;
  return new ProcessmasterError('launch_failed', `unknown ${what} '${name}' (${hint})`);
}

function isId(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= MAX_ID;
}

function describe(user: string | null, group: string | null): string {
  return group === null ? `user '${user ?? 'root'}'` : `user '${user ?? 'root'}', group '${group}'`;
}
