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
  /** At most so many bytes from an offset of the content; fewer only at its end. */
  readonly read: (offset: number, length: number) => Promise<Buffer>;
  readonly close: () => void;
}

/**
 * Opens one file of a log. Of a compressed one, what is read in order is decompressed once.
 * @throws ProcessmasterError `conflict` when another file has its name by now; else see openForRead
 */
export function openSegment(segment: Segment): OpenSegment {
  const open = () => openFile(segment);
  return segment.isCompressed ? openCompressed(open) : openPlain(open());
}

function openFile(segment: Segment): number {
  const fd = openForRead(segment.path);
  if (fstatSync(fd).ino === segment.inode) return fd;
  close(fd, () => {});
  throw new ProcessmasterError('conflict', `'${segment.path}' was renamed meanwhile`);
}

function openPlain(fd: number): OpenSegment {
  return {
    read: async (offset, length) => {
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await readAsync(fd, buffer, 0, length, offset);
      return buffer.subarray(0, bytesRead);
    },
    close: () => close(fd, () => {}),
  };
}

function openCompressed(open: () => number): OpenSegment {
  let content = new Content(open());
  return {
    read: async (offset, length) => {
      // What is behind is reached from the beginning alone.
      if (offset < content.offset) {
        content.close();
        content = new Content(open());
      }
      return content.read(offset, length);
    },
    close: () => content.close(),
  };
}

/** What a compressed file holds, from its beginning on; memory is bounded by what is read at once. */
class Content {
  /** Of the next byte that can be given. */
  offset = 0;
  readonly #gunzip: Gunzip;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(fd: number) {
    this.#gunzip = createGunzip();
    // It closes the descriptor when nothing reads from it any more; the iterator throws what goes wrong.
    pipeline(createReadStream('', { fd, start: 0 }), this.#gunzip, () => {});
    this.#chunks = this.#gunzip[Symbol.asyncIterator]();
  }

  async read(offset: number, length: number): Promise<Buffer> {
    while (this.offset + this.#rest.length < offset) {
      this.#take(this.#rest.length);
      if (!(await this.#next())) return this.#rest;
    }
    this.#take(offset - this.offset);
    while (this.#rest.length < length && (await this.#next()));
    return this.#take(length);
  }

  close(): void {
    this.#gunzip.destroy();
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(taken.length);
    this.offset += taken.length;
    return taken;
  }

  async #next(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done === true) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }
}
