import { readFileSync, statSync } from 'node:fs';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { runCommand } from './run-command.ts';

/** One line of passwd(5). */
export interface UserEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** One line of group(5). */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** A directory server that does not answer must not hold a start up for good. */
const LOOKUP_TIMEOUT_MS = 10_000;
/** getent(1): one or more of the keys were not found. */
const KEY_NOT_FOUND = 2;

/**
 * The user of that name or, if there is none and it is a number, uid: from /etc/passwd, else from
 * what nsswitch.conf(5) names. Null when there is none. @throws ProcessmasterError `io`, `timeout`.
 */
export async function findUser(key: string): Promise<UserEntry | null> {
  const local = pick(localUsers(), key, (user) => user.uid);
  return local ?? pick((await getent('passwd', key)).flatMap(parseUser), key, (user) => user.uid);
}

/** The group of that name or gid, see {@link findUser}. */
export async function findGroup(key: string): Promise<GroupEntry | null> {
  const local = pick(localGroups(), key, (group) => group.gid);
  return local ?? pick((await getent('group', key)).flatMap(parseGroup), key, (group) => group.gid);
}

/** The gids of a user's groups, the primary one included, each once and ascending. */
export async function groupsOf(user: UserEntry): Promise<number[]> {
  const isLocal = localUsers().some(({ name }) => name === user.name);
  const gids = isLocal
    ? localGroups()
        .filter(({ members }) => members.includes(user.name))
        .map(({ gid }) => gid)
    : await namedServiceGroups(user.name);
  return [...new Set([user.gid, ...gids])].sort((a, b) => a - b);
}

/** Within this time of its last change a file may change once more without a new time on it. */
const UNSETTLED_MS = 1_000;

/**
 * The entries of a file of the user database. Thousands of jobs may begin in one minute and all ask
 * for root: the file is looked at each time, and read again only when it is another one.
 */
export function entriesOf<T>(
  path: string,
  parse: (line: string) => readonly T[],
): () => readonly T[] {
  let [seen, entries]: [string | null, readonly T[]] = [null, []];
  return () => {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    const { dev, ino, size, ctimeNs } = stats ?? {};
    const now = [dev, ino, size, ctimeNs].join();
    if (now === seen) return entries;
    entries = linesOf(path).flatMap(parse);
    const isSettled = Date.now() - Number(stats?.ctimeMs ?? 0) > UNSETTLED_MS;
    seen = isSettled ? now : null;
    return entries;
  };
}

const localUsers = entriesOf('/etc/passwd', parseUser);
const localGroups = entriesOf('/etc/group', parseGroup);

/** A name wins over a number that looks like it, as in chown(1). */
function pick<T extends { readonly name: string }>(
  entries: readonly T[],
  key: string,
  idOf: (entry: T) => number,
): T | null {
  const named = entries.find((entry) => entry.name === key);
  if (named !== undefined || !/^\d+$/.test(key)) return named ?? null;
  return entries.find((entry) => idOf(entry) === Number(key)) ?? null;
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw new ProcessmasterError('io', `cannot read '${path}': ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function getent(database: 'passwd' | 'group', key: string): Promise<string[]> {
  // No name looks like this, and getent(1) would take it for an option or for nothing.
  if (!/^[^-:\s][^:\s]*$/.test(key)) return [];
  try {
    const { code, stdout, stderr } = await runCommand(['getent', database, key], {
      timeoutMs: LOOKUP_TIMEOUT_MS,
    });
    if (code === 0) return stdout.split('\n');
    if (code === KEY_NOT_FOUND) return [];
    throw new ProcessmasterError('io', `cannot look up '${key}' by getent: ${stderr.trim()}`);
  } catch (error) {
    // A system without getent has no other database than the files.
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function namedServiceGroups(name: string): Promise<number[]> {
  const { code, stdout, stderr } = await runCommand(['id', '-G', '--', name], {
    timeoutMs: LOOKUP_TIMEOUT_MS,
  });
  const gids = stdout.trim().split(/\s+/);
  if (code === 0 && gids.every((gid) => /^\d+$/.test(gid))) return gids.map(Number);
  throw new ProcessmasterError('io', `cannot look up the groups of '${name}': ${stderr.trim()}`);
}

function parseUser(line: string): UserEntry[] {
  const [name, , uid, gid, , home, shell] = line.split(':');
  if (name === undefined || !isId(uid) || !isId(gid)) return [];
  return [
    { name, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' },
  ];
}

function parseGroup(line: string): GroupEntry[] {
  const [name, , gid, members = ''] = line.split(':');
  if (name === undefined || !isId(gid)) return [];
  return [{ name, gid: Number(gid), members: members.split(',').filter((one) => one !== '') }];
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /^\d+$/.test(text);
}
