import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { LogSettings } from '../model/service-spec.ts';
import { stampLines } from './line-stamps.ts';
import { type LineSource, LineTurns } from './line-turns.ts';
import { RotatingFile, type RotatingFilePorts } from './rotating-file.ts';

export interface StreamWriterPorts {
  readonly clock: Clock;
  /** Told once when writing or rotating begins to fail, not for each chunk. */
  readonly onTrouble: (message: string) => void;
}

export interface StreamWriterParts extends RotatingFilePorts {
  readonly path: string;
  readonly settings: LogSettings;
}

/** How often a failing file is tried again, and how often a working one is looked for at its path. */
const LOOK_AGAIN_MS = 1_000;
const NEWLINE = 0x0a;
const NEWLINE_BYTES = Buffer.from('\n');

/**
 * Appends what one or several streams say to one file.
 *
 * INVARIANTS: nothing is held in memory between `write` and the kernel, so a killed keeper loses
 * nothing it had taken; a line of one stream is never mixed with another's (the others are held
 * while it is unfinished); no method throws: what cannot be written is dropped, counted and told.
 */
export class StreamWriter {
  readonly #path: string;
  readonly #ports: StreamWriterPorts;
  readonly #turns: LineTurns;
  readonly #file: RotatingFile;
  #lookAgainAtMs = 0;
  #failing = false;
  #droppedBytes = 0;
  #droppedWhy = '';

  constructor({ path, settings, ...ports }: StreamWriterParts) {
    this.#path = path;
    this.#ports = ports;
    this.#turns = new LineTurns(ports.clock);
    this.#file = new RotatingFile(path, settings, ports);
  }

  /** The size of the file; null while it is not open. */
  get openBytes(): number | null {
    return this.#file.isOpen ? this.#file.bytes : null;
  }

  /** How the file is kept from now on. */
  configure(settings: LogSettings): void {
    this.#file.configure(settings);
  }

  /** Puts aside a file that is at rest, when its time is over. */
  rotateWhenDue(): void {
    this.#file.rotateWhenDue();
  }

  /** Makes a stream known, so that it is held while another one's line is unfinished. */
  addSource(source: LineSource): void {
    this.#turns.add(source);
  }

  /**
   * Forgets a stream; returns whether none is left. A line it has not finished stays so: its service
   * may run on, and the next daemon goes on with that line.
   */
  removeSource(source: LineSource): boolean {
    return this.#turns.remove(source);
  }

  /** Appends `bytes` of a stream at once. They may be reused when it returns. */
  write(bytes: Buffer, source: LineSource): void {
    if (bytes.length === 0) return;
    if (this.#file.endsMidLine && !this.#turns.isOwner(source)) this.#endLine();
    if (this.#file.timestamps) this.#appendStamped(bytes);
    else this.#append(bytes);
    this.#turns.own(bytes[bytes.length - 1] === NEWLINE ? null : source);
  }

  /** The run of a stream is over: its last line is completed if it was not. */
  endRun(source: LineSource): void {
    if (!this.#turns.isOwner(source)) return;
    if (this.#file.endsMidLine) this.#endLine();
    this.#turns.own(null);
  }

  /** Says what was dropped, if that is possible by now, and closes the file. */
  close(): void {
    this.#turns.own(null);
    this.#lookAgainAtMs = 0;
    if (this.#droppedBytes > 0) this.#append(Buffer.alloc(0));
    this.#file.close();
  }

  #appendStamped(bytes: Buffer): void {
    const isMidLine = this.#file.endsMidLine;
    for (const stamped of stampLines(bytes, { isMidLine, clock: this.#ports.clock })) {
      this.#append(stamped);
    }
  }

  #append(bytes: Buffer): void {
    const now = this.#ports.clock.monotonicMs();
    let written = 0;
    try {
      if (this.#failing && now < this.#lookAgainAtMs) return;
      this.#openFile(now);
      this.#writeNotice();
      const result = this.#file.append(bytes);
      written = result.bytes;
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

  /** A file that was removed or replaced at its path is opened anew. */
  #openFile(now: number): void {
    const isTimeToLook = now >= this.#lookAgainAtMs;
    if (this.#file.isOpen && !isTimeToLook) return;
    if (this.#file.isOpen) this.#file.closeIfReplaced();
    this.#file.open();
    this.#lookAgainAtMs = now + LOOK_AGAIN_MS;
  }

  /** The line that stands where bytes are missing. */
  #writeNotice(): void {
    if (this.#droppedBytes === 0) return;
    const fresh = this.#file.endsMidLine ? '\n' : '';
    const text = `${fresh}[processmaster] ${this.#droppedBytes} bytes of output were dropped: ${this.#droppedWhy}\n`;
    const { failure } = this.#file.append(Buffer.from(text));
    if (failure !== null) throw failure;
    this.#droppedBytes = 0;
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
}
