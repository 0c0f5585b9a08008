import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { isDefinitionName } from './config-directory.ts';
import {
  isDefinitionFileName,
  isServiceFolderName,
  preferredDefinitionFile,
} from './service-folder.ts';
import { MAX_FILE_BYTES } from './yaml-limits.ts';

/** The standard input, as an operand. */
const STDIN = '-';

/** A file to look at: as it was named (or found in a folder that was), and where that is. */
export interface NamedFile {
  readonly shown: string;
  readonly path: string;
}

/**
 * The files that an operand means: itself, or of a folder all `*.yml` and `*.yaml` in it and the
 * `service.yml` of the folders in it. @throws a system error when that cannot be looked up.
 */
export function filesOfOperand(operand: string): readonly NamedFile[] {
  const named = (shown: string): NamedFile => ({ shown, path: resolve(shown) });
  if (operand === STDIN) return [{ shown: STDIN, path: resolve('stdin.yaml') }];
  if (!statSync(operand).isDirectory()) return [named(operand)];
  return readdirSync(operand, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(operand, entry.name);
      if (!isFolder(path)) return isDefinitionName(entry.name) ? [named(path)] : [];
      return isServiceFolderName(entry.name) ? serviceFileIn(path).map(named) : [];
    });
}

/**
 * The bytes of a file, at most one more than {@link parseYaml} takes, read as the user who asks. What
 * is no file is not waited for, unless it was meant: the standard input and what a shell makes of
 * `<(command)`. @throws Error whose message completes "cannot be read: …".
 */
export function readNamedFile({ shown, path }: NamedFile): Buffer {
  if (shown === STDIN) return readUpTo(0);
  const isStream = /^\/(?:dev|proc\/self)\/(?:fd\/|stdin)/.test(path);
  const fd = openSync(path, constants.O_RDONLY | (isStream ? 0 : constants.O_NONBLOCK));
  try {
    if (!isStream && !fstatSync(fd).isFile()) throw new Error('it is no regular file');
    return readUpTo(fd);
  } finally {
    closeSync(fd);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // What stands in the way of looking at it also does when reading it, and is said then.
    return false;
  }
}

/** The one that counts; of a folder that cannot be listed the one that would. */
function serviceFileIn(folder: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [join(folder, preferredDefinitionFile([]))];
  }
  return names.some(isDefinitionFileName) ? [join(folder, preferredDefinitionFile(names))] : [];
}

function readUpTo(fd: number): Buffer {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < buffer.length; length += count) {
    count = readSync(fd, buffer, length, buffer.length - length, null);
  }
  return buffer.subarray(0, length);
}
