import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { type CaptureOrder, type CapturePaths, LogCapture } from '../../src/logs/capture.ts';
import type { LogSettings } from '../../src/model/service-spec.ts';
import { LOG_SETTINGS } from '../builders/specs.ts';
import { wholeLog } from './log-files.ts';

export const MIB = 1024 * 1024;
export const DEADLINE_MS = 20_000;

/** A log capture on real FIFOs and processes, and everything that is to be cleaned up after it. */
export class CaptureRig {
  readonly directory = mkdtempSync(join(tmpdir(), 'capture-'));
  readonly ended: string[] = [];
  readonly troubles: string[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #descriptors: number[] = [];
  capture = this.#newCapture();

  /** Closes the capture and makes a new one, as the next daemon does. */
  replaceCapture(): void {
    this.capture.closeAll();
    this.capture = this.#newCapture();
  }

  /** FIFOs and file paths of a service in the test's folder. */
  service(name: string, settings: LogSettings = LOG_SETTINGS): CaptureOrder {
    const folder = join(this.directory, name);
    mkdirSync(folder);
    const [stdoutFifo, stderrFifo] = [join(folder, 'stdout'), join(folder, 'stderr')];
    execFileSync('mkfifo', [stdoutFifo, stderrFifo]);
    return {
      ...{ stdoutFifo, stderrFifo },
      ...{ stdoutPath: join(folder, 'out.log'), stderrPath: join(folder, 'err.log') },
      ...{ settings, otherPaths: [] },
    };
  }

  /** Runs a shell whose streams are the FIFOs, opened as a service's are. */
  run(paths: CapturePaths, script: string): ChildProcess {
    const fifos = [paths.stdoutFifo, paths.stderrFifo];
    const stdio = fifos.map((path) => openSync(path, constants.O_RDWR));
    const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', ...stdio], detached: true });
    for (const fd of stdio) closeSync(fd);
    return this.adopt(child);
  }

  /** Makes sure that a process (of a process group of its own) is gone after the test. */
  adopt(child: ChildProcess): ChildProcess {
    this.#children.push(child);
    return child;
  }

  /** Opens a FIFO for writing until the test is over. */
  hold(fifo: string): number {
    const fd = openSync(fifo, constants.O_RDWR);
    this.#descriptors.push(fd);
    return fd;
  }

  async cleanUp(): Promise<void> {
    this.capture.closeAll();
    for (const child of this.#children) await killGroup(child);
    for (const fd of this.#descriptors) closeSync(fd);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #newCapture(): LogCapture {
    return new LogCapture({
      clock: systemClock,
      onTrouble: (name, message) => this.troubles.push(`${name}: ${message}`),
      onEnded: (name) => this.ended.push(name),
    });
  }
}

export async function until(isSo: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const endsAtMs = systemClock.monotonicMs() + deadlineMs;
  while (!isSo()) {
    if (systemClock.monotonicMs() > endsAtMs) throw new Error(`not so in time: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What `seq 1 <last>` prints. */
export function numbers(last: number): string {
  return `${Array.from({ length: last }, (_, at) => at + 1).join('\n')}\n`;
}

/** Over all backups of the file. Compared before it is asserted: the difference of two such files is not for a screen. */
export function isSequence(path: string, last: number): boolean {
  return wholeLog(path).equals(Buffer.from(numbers(last)));
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export function lineCount(path: string): number {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

/** A reaped leader's group may still hold what it started; an unreaped one cannot be recycled. */
async function killGroup(child: ChildProcess): Promise<void> {
  const isAlive = child.exitCode === null && child.signalCode === null;
  if (!isAlive || child.pid === undefined) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await exited;
}
