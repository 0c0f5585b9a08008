import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isErrno, messageOf, ProcessmasterError } from '../lib/errors.ts';
import { accessOf, closedFolder } from './access.ts';
import type { Identity } from './identity.ts';
import { O_PATH } from './safe-walk.ts';

type Verdict =
  | { readonly access: 'granted' | 'unsure' }
  | { readonly access: 'denied'; readonly why: string };

const SHEBANG_BYTES = 256;

/**
 * The absolute path of a command: `argv0` itself when it has a slash (relative to `cwd`), else the
 * first executable of that name in `searchPath` (`PATH` of the service, never the daemon's).
 * @throws ProcessmasterError `launch_failed` at the stage `exec`, saying why it could not be run.
 */
export function findExecutable(
  argv0: string,
  cwd: string,
  searchPath: string,
  identity: Identity,
): string {
  if (argv0.includes('/')) {
    const path = resolve(cwd, argv0);
    const verdict = judge(path, identity);
    if (verdict.access === 'denied') throw notExecutable(argv0, verdict.why);
    return path;
  }
  return searchIn(searchPath, argv0, cwd, identity);
}

/**
 * @throws ProcessmasterError `launch_failed` at the stage `chdir` when the folder is not there, is
 *   none, or cannot be entered by `identity`.
 */
export function assertWorkingDirectory(path: string, identity: Identity): void {
  const fail = (why: string, cause?: unknown) =>
    new ProcessmasterError('launch_failed', `cannot enter the folder '${path}': ${why}`, {
      stage: 'chdir',
      cause,
    });
  try {
    if (!statSync(path).isDirectory()) throw fail('it is no folder');
    const closed = closedFolder(realpathSync(path), identity);
    if (closed !== null) throw fail(`user '${identity.userName}' may not search '${closed}'`);
  } catch (error) {
    throw error instanceof ProcessmasterError ? error : fail(messageOf(error), error);
  }
}

const ROOT: Identity = {
  userName: 'root',
  uid: 0,
  gid: 0,
  groups: [0],
  home: '/root',
  shell: '/bin/sh',
};

/**
 * Whether root could execute this very file, as far as that can be known without doing it.
 * @throws ProcessmasterError `launch_failed` at the stage `exec`, saying why not.
 */
export function assertExecutable(path: string): void {
  const verdict = judge(path, ROOT);
  if (verdict.access === 'denied') throw notExecutable(path, verdict.why);
}

/** execvp(3), but certain candidates come before uncertain ones. */
function searchIn(searchPath: string, name: string, cwd: string, identity: Identity): string {
  let unsure: string | null = null;
  let denied: string | null = null;
  for (const folder of searchPath.split(':')) {
    const path = join(resolve(cwd, folder), name);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) continue;
    const verdict = judge(path, identity);
    if (verdict.access === 'granted') return path;
    if (verdict.access === 'denied') denied ??= `'${path}': ${verdict.why}`;
    else unsure ??= path;
  }
  if (unsure !== null) return unsure;
  throw notExecutable(
    name,
    denied ?? `it is not in PATH '${searchPath}' (give its full path, or set PATH)`,
  );
}

function judge(path: string, identity: Identity): Verdict {
  try {
    const real = realpathSync(path);
    const closed = closedFolder(dirname(real), identity);
    if (closed !== null) {
      return { access: 'denied', why: `user '${identity.userName}' may not search '${closed}'` };
    }
    return judgeFile(real, identity);
  } catch (error) {
    return { access: 'denied', why: messageOf(error) };
  }
}

/** The file is held by an O_PATH descriptor: nothing but a regular file is ever opened. */
function judgeFile(path: string, identity: Identity): Verdict {
  const handle = openSync(path, O_PATH);
  try {
    const file = fstatSync(handle);
    if (!file.isFile()) return { access: 'denied', why: 'it is no regular file' };
    const access = accessOf(file, identity, 'execute');
    if (access === 'denied') {
      const mode = (file.mode & 0o7777).toString(8).padStart(4, '0');
      const why = `user '${identity.userName}' may not execute it (mode ${mode}, owner ${file.uid}:${file.gid}; chmod +x?)`;
      return { access, why };
    }
    const missing =
      accessOf(file, identity, 'read') === 'granted' ? missingInterpreter(handle) : null;
    if (missing !== null)
      return { access: 'denied', why: `its interpreter '${missing}' does not exist` };
    return { access };
  } finally {
    closeSync(handle);
  }
}

/** What a first line `#!…` names (execve(2)), if that is not there. */
function missingInterpreter(handle: number): string | null {
  const fd = openSync(`/proc/self/fd/${handle}`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(SHEBANG_BYTES);
    const text = bytes.toString('latin1', 0, readSync(fd, bytes));
    const interpreter = /^#![ \t]*(\/[^\s\0]+)[\s\0]/.exec(text)?.[1];
    if (interpreter === undefined) return null;
    return statSync(interpreter, { throwIfNoEntry: false }) === undefined ? interpreter : null;
  } catch (error) {
    // ETXTBSY, EIO, …: execve will say.
    if (isErrno(error, 'ETXTBSY', 'EIO', 'EACCES')) return null;
    throw error;
  } finally {
    closeSync(fd);
  }
}

function notExecutable(name: string, why: string): ProcessmasterError {
  return new ProcessmasterError('launch_failed', `cannot execute '${name}': ${why}`, {
    stage: 'exec',
  });
}
