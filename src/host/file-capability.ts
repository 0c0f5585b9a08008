import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { runCommand } from './run-command.ts';
import { guard } from './safe-open.ts';
import { type Entry, O_PATH, walkTo } from './safe-walk.ts';

const TIMEOUT_MS = 10_000;
const PRIVATE_FOLDER = /^\.processmaster-[0-9a-f]{16}\.setcap$/;
/** Of the only thing in a private folder. */
const LINK_NAME = 'file';
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Gives a program a file capability (capabilities(7)) in the effective and the permitted set, and
 * makes sure that it has it: a regular file only, under the rules of safe-open.
 * @param capability  as setcap(8) names it, e.g. `cap_net_bind_service`
 * @throws ProcessmasterError `unsafe_path`, `io`, or `timeout`.
 */
export async function addFileCapability(path: string, capability: string): Promise<void> {
  const cannot = `cannot give '${path}' ${capability}`;
  await withPrivateName(path, cannot, async (name) => {
    await run(cannot, ['setcap', `${capability}=+ep`, name]);
    if (!(await has(name, capability, cannot))) {
      throw new ProcessmasterError(
        'io',
        `${cannot}: setcap ended well, but getcap does not show it`,
      );
    }
  });
}

/** Whether a program has a capability; throws as {@link addFileCapability}. */
export async function hasFileCapability(path: string, capability: string): Promise<boolean> {
  const cannot = `cannot look at the capabilities of '${path}'`;
  let found = false;
  await withPrivateName(path, cannot, async (name) => {
    found = await has(name, capability, cannot);
  });
  return found;
}

/**
 * Removes what a daemon that was killed left of {@link addFileCapability} beside a program: with a
 * second name, nobody would change it. Nothing there is nothing to do. @throws ProcessmasterError
 */
export function removeLeftNames(path: string): void {
  guard(`cannot look beside '${path}'`, () => {
    try {
      walkTo(path, { createDirectories: false }, ({ folderFd }) => removeLeftovers(folderFd));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  });
}

async function has(name: string, capability: string, cannot: string): Promise<boolean> {
  const shown = await run(cannot, ['getcap', name]);
  return new RegExp(`\\b${capability}\\b[^ ]*[=+]ep\\b`).test(shown);
}

/**
 * setcap(8) wants a path and refuses the magic links of proc(5), and whoever owns the folder can put a
 * link to anything at a path after setcap looked. So the file gets a second name for a moment, in a
 * folder beside it that only root may enter: what is looked at there cannot be exchanged any more.
 */
async function withPrivateName(
  path: string,
  cannot: string,
  act: (name: string) => Promise<void>,
): Promise<void> {
  const made = guard(cannot, () => walkTo(path, { createDirectories: false }, makePrivateName));
  try {
    // Of this process: the helper is another one.
    await act(`/proc/${process.pid}/fd/${made.privateFd}/${LINK_NAME}`);
  } finally {
    guard(cannot, () => removePrivateName(made));
  }
}

interface PrivateName {
  readonly folderFd: number;
  readonly privateFd: number;
  readonly privatePath: string;
}

function makePrivateName(entry: Entry): PrivateName {
  const isLink = lstatSync(entry.path).isSymbolicLink();
  if (isLink) throw Object.assign(new Error('a link'), { code: 'ELOOP' });
  const folderFd = openSync(`/proc/self/fd/${entry.folderFd}`, O_PATH | constants.O_DIRECTORY);
  try {
    const name = `.processmaster-${randomBytes(8).toString('hex')}.setcap`;
    const privatePath = `/proc/self/fd/${folderFd}/${name}`;
    mkdirSync(privatePath, { mode: 0o700 });
    const made = { folderFd, privateFd: openSync(privatePath, FOLDER), privatePath };
    try {
      linkPrivately(entry, made);
      return made;
    } catch (error) {
      closeSync(made.privateFd);
      rmdirIfThere(privatePath);
      throw error;
    }
  } catch (error) {
    closeSync(folderFd);
    throw error;
  }
}

/** link(2) does not follow a link: that one would get the name, and is refused. */
function linkPrivately(entry: Entry, { privateFd }: PrivateName): void {
  const folder = fstatSync(privateFd);
  if (folder.uid !== 0 || (folder.mode & 0o077) !== 0) {
    throw new ProcessmasterError('unsafe_path', 'somebody exchanged a folder of ours just now');
  }
  const path = `/proc/self/fd/${privateFd}/${LINK_NAME}`;
  linkSync(entry.path, path);
  try {
    refuseOtherThanOne(path);
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
}

/** Its own name and ours: with a third the file could be anyone's. */
function refuseOtherThanOne(path: string): void {
  const file = lstatSync(path);
  if (!file.isFile()) throw new ProcessmasterError('unsafe_path', 'it is no regular file');
  if (file.nlink === 2) return;
  throw new ProcessmasterError(
    'unsafe_path',
    `the file has ${file.nlink - 1} names, so it could be anyone's (remove the other hard links)`,
  );
}

function removePrivateName({ folderFd, privateFd, privatePath }: PrivateName): void {
  try {
    unlinkSync(`/proc/self/fd/${privateFd}/${LINK_NAME}`);
    rmdirIfThere(privatePath);
  } finally {
    closeSync(privateFd);
    closeSync(folderFd);
  }
}

/** Whoever owns the folder around may have moved it; then what is left of it is empty. */
function rmdirIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY')) throw error;
  }
}

/** A daemon that was killed leaves its second name behind, with which no other would do anything. */
function removeLeftovers(folderFd: number): void {
  const names = readdirSync(`/proc/self/fd/${folderFd}`).filter((name) =>
    PRIVATE_FOLDER.test(name),
  );
  for (const name of names) {
    const path = `/proc/self/fd/${folderFd}/${name}`;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true || stats.uid !== 0) continue;
    const fd = openSync(path, FOLDER);
    try {
      if (fstatSync(fd).uid === 0) unlinkIfThere(`/proc/self/fd/${fd}/${LINK_NAME}`);
    } finally {
      closeSync(fd);
    }
    rmdirIfThere(path);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

async function run(cannot: string, argv: readonly [string, ...string[]]): Promise<string> {
  try {
    const { code, stdout, stderr } = await runCommand(argv, { timeoutMs: TIMEOUT_MS });
    if (code === 0) return stdout;
    throw new ProcessmasterError('io', `${argv[0]} ended with ${code}: ${stderr.trim()}`);
  } catch (cause) {
    const hint = isErrno(cause, 'ENOENT')
      ? `${argv[0]} is not installed (Debian and Ubuntu: apt install libcap2-bin)`
      : messageOf(cause);
    const code = cause instanceof ProcessmasterError ? cause.code : 'io';
    throw new ProcessmasterError(code, `${cannot}: ${hint}`, { cause });
  }
}
