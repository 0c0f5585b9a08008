import { close, createReadStream, fstatSync, read } from 'node:fs';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, type Gunzip } from 'node:zlib';
import { openForRead } from '../host/safe-open.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { Segment } from './segments.ts';

const readAsync = promisify(read);

/** The content of one file of a log, read in pieces; the loop of the daemon goes on meanwhile. */
export interface OpenSegment {
  /** Of what is on the disk; grows. */
  readonly size: () => number;
  /** At most so many bytes from an offset of the content; fewer only at its end. */
  readonly read: (offset: number, length: number) => Promise<Buffer>;
  readonly close: () => void;
}

/**
 * Opens one file of a log. Of a compressed one, what is read in order is decompressed once.
 * @throws ProcessmasterError `conflict` when another file has its name by now; else see openForRead
 */
export function openSegment(segment: Segment): OpenSegment {
  const fd = openForRead(segment.path);
  if (fstatSync(fd).ino !== segment.inode) {
    close(fd, () => {});
    throw new ProcessmasterError('conflict', `'${segment.path}' was renamed meanwhile`);
  }
  return segment.isCompressed ? openCompressed(fd) : openPlain(fd);
}

function openPlain(fd: number): OpenSegment {
  return {
    size: () => fstatSync(fd).size,
    read: async (offset, length) => {
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await readAsync(fd, buffer, 0, length, offset);
      return buffer.subarray(0, bytesRead);
    },
    close: () => close(fd, () => {}),
  };
}

function openCompressed(fd: number): OpenSegment {
  let stream: Gunzip | null = null;
  let at = 0;
  let rest: Buffer = Buffer.alloc(0);
  let chunks: AsyncIterator<Buffer> | null = null;
  const begin = () => {
    stream?.destroy();
    stream = createGunzip();
    const source = createReadStream('', { fd, autoClose: false, start: 0 });
    // What went wrong is thrown by the iterator.
    pipeline(source, stream, () => {});
    chunks = stream[Symbol.asyncIterator]();
    [at, rest] = [0, Buffer.alloc(0)];
  };
  const next = async () => {
    const { value, done } = (await chunks?.next()) ?? { done: true, value: undefined };
    if (done === true) return false;
    rest = rest.length === 0 ? value : Buffer.concat([rest, value]);
    return true;
  };
  return {
    size: () => fstatSync(fd).size,
    read: async (offset, length) => {
      if (stream === null || offset < at) begin();
      while (at + rest.length <= offset) {
        at += rest.length;
        rest = Buffer.alloc(0);
        if (!(await next())) return rest;
      }
      rest = rest.subarray(offset - at);
      at = offset;
      while (rest.length < length && (await next()));
      const wanted = rest.subarray(0, length);
      rest = rest.subarray(wanted.length);
      at += wanted.length;
      return wanted;
    },
    close: () => {
      stream?.destroy();
      // Nothing reads from it any more once the stream has ended.
      setImmediate(() => close(fd, () => {}));
    },
  };
}
