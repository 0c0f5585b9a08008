import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { LogSettings } from '../model/service-spec.ts';
import { MAX_BACKUPS } from './backups.ts';
import { cutBeforeRotation } from './cut.ts';
import { LogFile, type Written } from './log-file.ts';
import { type Period, periodOf } from './rotation-period.ts';

export interface RotatingFilePorts {
  readonly clock: Clock;
  /** It cannot be rotated, or something is in the way, in words; once per episode. */
  readonly onTrouble: (message: string) => void;
  /** What the files of all services may take together. */
  readonly budgetBytes: () => number;
  /** There is a new backup. */
  readonly onRotated: () => void;
}

/** How often a rotation that failed is tried again. */
const ROTATE_AGAIN_MS = 1_000;
/** A budget binds backups; so that there are some, one file takes no more than this part of it. */
const PARTS_OF_BUDGET = 4;

/**
 * A log file that is put aside when it is full or its time is over.
 *
 * INVARIANTS: no byte is written twice or left out by a rotation, and no line that is shorter than a
 * megabyte is cut; a rotation that cannot be is told, and writing goes on in the same file.
 */
export class RotatingFile {
  readonly #file: LogFile;
  readonly #ports: RotatingFilePorts;
  #settings: LogSettings;
  /** Of what is in the file. */
  #period: Period | null = null;
  #rotateAgainAtMs = 0;
  #trouble = '';

  constructor(path: string, settings: LogSettings, ports: RotatingFilePorts) {
    this.#file = new LogFile(path);
    this.#ports = ports;
    this.#settings = settings;
  }

  get isOpen(): boolean {
    return this.#file.isOpen;
  }

  get bytes(): number {
    return this.#file.bytes;
  }

  get endsMidLine(): boolean {
    return this.#file.endsMidLine;
  }

  get timestamps(): boolean {
    return this.#settings.timestamps;
  }

  /** How the file is kept from now on. */
  configure(settings: LogSettings): void {
    if (settings.rotation.frequency !== this.#settings.rotation.frequency) this.#period = null;
    this.#settings = settings;
    this.#rotateAgainAtMs = 0;
  }

  /** @throws ProcessmasterError when it cannot be opened */
  open(): void {
    const modifiedAtMs = this.#file.open();
    if (modifiedAtMs !== null) this.#period = this.#periodOf(modifiedAtMs);
  }

  closeIfReplaced(): void {
    this.#file.closeIfReplaced();
  }

  close(): void {
    this.#file.close();
  }

  /** Appends to the open file, rotating it as often as need be. */
  append(bytes: Buffer): Written {
    let written = 0;
    while (written < bytes.length) {
      const rest = written === 0 ? bytes : bytes.subarray(written);
      const cut = cutBeforeRotation(rest, {
        bytes: this.#file.bytes,
        limitBytes: this.#limitBytes(),
        isMidLine: this.#file.endsMidLine,
      });
      const result = this.#file.append(cut === null ? rest : rest.subarray(0, cut));
      written += result.bytes;
      if (result.failure !== null) return { bytes: written, failure: result.failure };
      const failure = cut === null ? null : this.#rotateAndOpen();
      if (failure !== null) return { bytes: written, failure };
    }
    return { bytes: written, failure: null };
  }

  /** Rotates an open file that nobody writes to now, when it is full or its time is over. */
  rotateWhenDue(): void {
    if (!this.#file.isOpen || this.#file.bytes === 0 || this.#file.endsMidLine) return;
    if (this.#file.bytes >= this.#limitBytes()) this.#rotate();
  }

  #limitBytes(): number {
    if (this.#ports.clock.monotonicMs() < this.#rotateAgainAtMs) return Number.POSITIVE_INFINITY;
    if (this.#isTimeOver()) return this.#file.bytes;
    return this.#mostBytes();
  }

  #mostBytes(): number {
    const { rotation, maxTotalBytes } = this.#settings;
    const budget = Math.min(maxTotalBytes ?? Number.POSITIVE_INFINITY, this.#ports.budgetBytes());
    const most = rotation.mode === 'size' ? rotation.maxBytes : Number.POSITIVE_INFINITY;
    return Math.min(most, Math.ceil(budget / PARTS_OF_BUDGET));
  }

  #isTimeOver(): boolean {
    if (this.#settings.rotation.mode !== 'time') return false;
    const nowMs = this.#ports.clock.wallMs();
    // A clock that was set back: what is in the file counts as of now.
    if (this.#period === null || nowMs < this.#period.startMs) this.#period = this.#periodOf(nowMs);
    return nowMs >= this.#period.endMs;
  }

  #periodOf(wallMs: number): Period {
    return periodOf(wallMs, this.#settings.rotation.frequency);
  }

  /** Null when writing can go on; else why the next file cannot be opened. */
  #rotateAndOpen(): unknown {
    this.#rotate();
    try {
      this.open();
      return null;
    } catch (error) {
      return error;
    }
  }

  #rotate(): void {
    try {
      if (this.#wasEmptied()) return;
      const { mode, backups } = this.#settings.rotation;
      const { isDone, foreign } = this.#file.rotate(mode === 'size' ? backups : MAX_BACKUPS);
      this.#period = null;
      this.#tell(
        foreign.length === 0
          ? ''
          : `left alone beside '${this.#file.path}': ${foreign.join(', ')} (no regular file with one name; backups are numbered around it)`,
      );
      if (isDone) this.#ports.onRotated();
    } catch (error) {
      this.#rotateAgainAtMs = this.#ports.clock.monotonicMs() + ROTATE_AGAIN_MS;
      const why = messageOf(error);
      this.#tell(`cannot rotate '${this.#file.path}': ${why} (it is written on, and tried again)`);
    }
  }

  /** Somebody truncated it in place: then it is not full at all. */
  #wasEmptied(): boolean {
    return !this.#isTimeOver() && this.#file.bytes > this.#file.measure();
  }

  #tell(trouble: string): void {
    if (trouble !== '' && trouble !== this.#trouble) this.#ports.onTrouble(trouble);
    this.#trouble = trouble;
  }
}
