import { closeSync, fstatSync, statSync, writeSync } from 'node:fs';
import { openForAppend } from '../host/safe-open.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';

export interface StreamWriterPorts {
  readonly clock: Clock;
  /** Told once when writing begins to fail, not for each chunk. */
  readonly onTrouble: (message: string) => void;
}

/** A stream that writes into a file; while another one's line is unfinished it is held. */
export interface LineSource {
  holdForLine(): void;
  releaseFromLine(): void;
}

const LOG_FILE_MODE = 0o640;
/** How often a failing file is tried again, and how often a working one is looked for at its path. */
const LOOK_AGAIN_MS = 1_000;
/** A prompt without a newline holds the other streams of its file no longer than this. */
const UNFINISHED_LINE_MS = 50;
const NEWLINE = 0x0a;
const NEWLINE_BYTES = Buffer.from('\n');

/**
 * Appends what one or several streams say to one file.
 *
 * INVARIANTS: nothing is held in memory between `write` and the kernel, so a killed daemon loses
 * nothing it had taken; a line of one stream is never mixed with another's (the others are held
 * while it is unfinished); no method throws: what cannot be written is dropped, counted and told.
 */
export class StreamWriter {
  readonly #path: string;
  readonly #ports: StreamWriterPorts;
  readonly #sources = new Set<LineSource>();
  #fd: number | null = null;
  #device = 0;
  #inode = 0;
  #lookAgainAtMs = 0;
  #failing = false;
  #droppedBytes = 0;
  #droppedWhy = '';
  /** Whether the file ends (as far as we wrote it) in the middle of a line. */
  #midLine = false;
  #lineOwner: LineSource | null = null;
  #cancelRelease: (() => void) | null = null;

  constructor(path: string, ports: StreamWriterPorts) {
    this.#path = path;
    this.#ports = ports;
  }

  /** Makes a stream known, so that it is held while another one's line is unfinished. */
  addSource(source: LineSource): void {
    this.#sources.add(source);
  }

  /**
   * Forgets a stream; returns whether none is left. A line it has not finished stays so: its service
   * may run on, and the next daemon goes on with that line.
   */
  removeSource(source: LineSource): boolean {
    this.#sources.delete(source);
    if (this.#lineOwner === source) this.#ownLine(null);
    return this.#sources.size === 0;
  }

  /** Appends `bytes` of a stream at once. They may be reused when it returns. */
  write(bytes: Uint8Array, source: LineSource): void {
    if (bytes.length === 0) return;
    if (this.#midLine && this.#lineOwner !== source) this.#endLine();
    this.#append(bytes);
    this.#ownLine(bytes[bytes.length - 1] === NEWLINE ? null : source);
  }

  /** The run of a stream is over: its last line is completed if it was not. */
  endRun(source: LineSource): void {
    if (this.#lineOwner !== source) return;
    if (this.#midLine) this.#endLine();
    this.#ownLine(null);
  }

  /** Says what was dropped, if that is possible by now, and closes the file. */
  close(): void {
    this.#ownLine(null);
    this.#lookAgainAtMs = 0;
    if (this.#droppedBytes > 0) this.#append(new Uint8Array(0));
    this.#closeFile();
  }

  #append(bytes: Uint8Array): void {
    const now = this.#ports.clock.monotonicMs();
    let written = 0;
    try {
      if (this.#failing && now < this.#lookAgainAtMs) return;
      const fd = this.#openFile(now);
      this.#writeNotice(fd);
      const result = this.#writeAll(fd, bytes);
      written = result.written;
      if (result.failure !== null) throw result.failure;
      this.#failing = false;
    } catch (error) {
      this.#fail(error, now);
    } finally {
      this.#droppedBytes += bytes.length - written;
    }
  }

  #endLine(): void {
    if (!this.#failing) this.#append(NEWLINE_BYTES);
  }

  /** The open file; a file that was removed or replaced at its path is opened anew. */
  #openFile(now: number): number {
    if (this.#fd !== null && now >= this.#lookAgainAtMs) {
      this.#lookAgainAtMs = now + LOOK_AGAIN_MS;
      // Only a hint, so links are followed as they come: what is opened then is opened safely.
      const there = statSync(this.#path, { throwIfNoEntry: false });
      if (there?.ino !== this.#inode || there.dev !== this.#device) this.#closeFile();
    }
    if (this.#fd !== null) return this.#fd;
    const fd = openForAppend(this.#path, { mode: LOG_FILE_MODE, createDirectories: true });
    const opened = fstatSync(fd);
    this.#fd = fd;
    this.#device = opened.dev;
    this.#inode = opened.ino;
    this.#midLine = false;
    this.#lookAgainAtMs = now + LOOK_AGAIN_MS;
    return fd;
  }

  /** The line that stands where bytes are missing. */
  #writeNotice(fd: number): void {
    if (this.#droppedBytes === 0) return;
    const fresh = this.#midLine ? '\n' : '';
    const text = `${fresh}[processmaster] ${this.#droppedBytes} bytes of output were dropped: ${this.#droppedWhy}\n`;
    const { failure } = this.#writeAll(fd, Buffer.from(text));
    if (failure !== null) throw failure;
    this.#droppedBytes = 0;
  }

  /** write(2) may take less than it is given: how much it took, and why not all. */
  #writeAll(fd: number, bytes: Uint8Array): { written: number; failure: unknown } {
    let written = 0;
    let failure: unknown = null;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
    } catch (error) {
      failure = error;
    }
    const last = bytes[written - 1];
    if (last !== undefined) this.#midLine = last !== NEWLINE;
    return { written, failure };
  }

  #fail(error: unknown, now: number): void {
    const why = messageOf(error);
    this.#lookAgainAtMs = now + LOOK_AGAIN_MS;
    this.#droppedWhy = why;
    if (this.#failing) return;
    this.#failing = true;
    this.#ports.onTrouble(
      `cannot write '${this.#path}': ${why} (output is dropped until it can be written again)`,
    );
  }

  /** Whose line is unfinished: the other streams of this file wait, but not for long. */
  #ownLine(owner: LineSource | null): void {
    this.#lineOwner = owner;
    if (this.#sources.size < 2 && this.#cancelRelease === null) return;
    this.#releaseAll();
    if (owner === null) return;
    for (const source of this.#sources) if (source !== owner) source.holdForLine();
    this.#cancelRelease = this.#ports.clock.schedule(UNFINISHED_LINE_MS, () => this.#releaseAll());
  }

  #releaseAll(): void {
    this.#cancelRelease?.();
    this.#cancelRelease = null;
    for (const source of this.#sources) source.releaseFromLine();
  }

  #closeFile(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
  }
}
