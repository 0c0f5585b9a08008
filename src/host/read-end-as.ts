import { spawn } from 'node:child_process';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import { resolveIdentity } from './identity.ts';
import { become } from './launch-script.ts';

/** Who a file is read as; null is root, and the user's own group. */
export interface Reader {
  readonly user: string | null;
  readonly group: string | null;
}

const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/** A FIFO that nobody writes to, or a device without an end. */
const LONGEST_MS = 3_000;
const MOST_ERROR_BYTES = 4_096;

/**
 * The last `maxBytes` of a file, opened and read by a process that is this user and has no more than
 * its groups and rights: what the kernel lets that user read is what comes back, wherever links lead.
 * A file that is not there is empty.
 * @throws ProcessmasterError `io` with the system's reason, `timeout` when it has no end
 */
export async function readEndAs(
  { user, group }: Reader,
  path: string,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly isCut: boolean }> {
  const identity = await resolveIdentity(user, group);
  // One byte more tells whether there is more.
  const command = ['tail', '-c', String(maxBytes + 1), '--', path];
  const [file = '', ...args] = become(identity, command);
  const { code, bytes, said } = await run(file, args, maxBytes + 1);
  if (code === 0) {
    const isCut = bytes.length > maxBytes;
    return { bytes: isCut ? bytes.subarray(bytes.length - maxBytes) : bytes, isCut };
  }
  const why = said.trim().split('\n')[0]?.split(': ').at(-1) ?? '';
  if (why === 'No such file or directory') return { bytes: Buffer.alloc(0), isCut: false };
  throw new ProcessmasterError('io', `user '${identity.userName}' cannot read it: ${why}`);
}

/** A piece of a file that somebody else has read. */
export interface PieceAs {
  readonly inode: number;
  readonly size: number;
  readonly bytes: Buffer;
}

/** Where the file is opened once, looked at, and read from a byte (1 is the first) on. */
const READ_ON = 'exec <"$1" && stat -Lc "%i %s" /proc/self/fd/0 && tail -c "+$2" | head -c "$3"';
const MOST_STAT_BYTES = 64;

/**
 * What stands in a file from `offset` on, at most `maxBytes`, read as by {@link readEndAs}; `null`
 * when it is not there.
 * @throws ProcessmasterError see {@link readEndAs}
 */
export async function readOnAs(
  { user, group }: Reader,
  path: string,
  offset: number,
  maxBytes: number,
): Promise<PieceAs | null> {
  const identity = await resolveIdentity(user, group);
  const words = [path, String(offset + 1), String(maxBytes)];
  const [file = '', ...args] = become(identity, ['/bin/sh', '-c', READ_ON, 'sh', ...words]);
  const { code, bytes, said } = await run(file, args, maxBytes + MOST_STAT_BYTES);
  if (code !== 0) {
    const why = said.trim().split('\n')[0]?.split(': ').at(-1) ?? '';
    // As dash(1) and others say it.
    if (/No such file|nonexistent/i.test(why)) return null;
    throw new ProcessmasterError('io', `user '${identity.userName}' cannot read it: ${why}`);
  }
  const end = bytes.indexOf(0x0a);
  const [inode = Number.NaN, size = Number.NaN] = bytes
    .toString('latin1', 0, end)
    .split(' ')
    .map(Number);
  if (Number.isInteger(inode) && Number.isInteger(size)) {
    return { inode, size, bytes: bytes.subarray(end + 1) };
  }
  throw new ProcessmasterError('io', 'it cannot be told which file it is');
}

interface Ended {
  readonly code: number | null;
  readonly bytes: Buffer;
  readonly said: string;
}

function run(file: string, args: readonly string[], maxBytes: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    let length = 0;
    let said = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, LONGEST_MS);
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      // A process of the user's may be in tail's place: what it says is bounded, too.
      if (length > maxBytes) child.kill('SIGKILL');
      else chunks.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, MOST_ERROR_BYTES);
    });
    child.once('error', (cause) => {
      clearTimeout(timer);
      const message = `cannot run '${file}': ${messageOf(cause)}`;
      reject(new ProcessmasterError('io', message, { cause }));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (isLate)
        reject(
          new ProcessmasterError('timeout', `it does not come to an end within ${LONGEST_MS} ms`),
        );
      else resolve({ code, bytes: Buffer.concat(chunks), said });
    });
  });
}
