/**
 * Stable error codes of this program. One table (rpc/contract) maps them to JSON-RPC codes and
 * exit codes.
 */
export type ErrorCode =
  | 'invalid_argument'
  | 'invalid_config'
  | 'not_found'
  | 'not_permitted'
  | 'not_co_built'
  | 'unreachable'
  /** Certainly never asked for: there was nobody to ask. */
  | 'withdrawn'
  | 'timeout'
  | 'conflict'
  | 'launch_failed'
  | 'unsafe_path'
  | 'io'
  | 'protocol'
  | 'internal';

interface ErrorDetails {
  /** The step that failed, e.g. `chdir`, `enter cgroup`, `set identity`, `exec`. */
  readonly stage?: string;
  readonly cause?: unknown;
}

/** Every error that leaves a module. Keeps the code, the stage, the cause and the cause's errno. */
export class ProcessmasterError extends Error {
  readonly code: ErrorCode;
  readonly stage: string | undefined;
  readonly errno: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'ProcessmasterError';
    this.code = code;
    this.stage = details.stage;
    this.errno = errnoOf(details.cause);
  }
}

/** The errno name (`ENOENT`) that an error or its causes carry, if any. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ProcessmasterError) return error.errno;
  const code = (error as NodeJS.ErrnoException).code;
  // Node's own codes (ERR_INVALID_ARG_TYPE) are no errno.
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : errnoOf(error.cause);
}

/** Whether an error says one of these errnos. */
export function isErrno(error: unknown, ...errnos: readonly string[]): boolean {
  const errno = errnoOf(error);
  return errno !== undefined && errnos.includes(errno);
}

/** The message of whatever was thrown, with its errno spelled out once for system errors. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errno = error instanceof ProcessmasterError ? undefined : errnoOf(error);
  return errno === undefined ? error.message : describeErrno(errno);
}

/** The errno in the C library's words (errno(3)), for messages people read. */
export function describeErrno(errno: string): string {
  const words: Record<string, string> = {
    EACCES: 'Permission denied',
    EADDRINUSE: 'Address already in use',
    EADDRNOTAVAIL: 'Cannot assign requested address',
    EBUSY: 'Device or resource busy',
    EEXIST: 'File exists',
    EINVAL: 'Invalid argument',
    EIO: 'Input/output error',
    EISDIR: 'Is a directory',
    ELOOP: 'Too many levels of symbolic links',
    EMFILE: 'Too many open files',
    ENOENT: 'No such file or directory',
    ENOEXEC: 'Exec format error',
    ENOMEM: 'Out of memory',
    ENOSPC: 'No space left on device',
    ENOTDIR: 'Not a directory',
    ENOTSUP: 'Operation not supported',
    EPERM: 'Operation not permitted',
    EROFS: 'Read-only file system',
    ESRCH: 'No such process',
  };
  const text = words[errno];
  return text === undefined ? errno : `${text} (${errno})`;
}
