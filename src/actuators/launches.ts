import type { ServiceName } from '../model/service-name.ts';
import type { LogSettings } from '../model/service-spec.ts';

interface CapturedRun {
  readonly runNumber: number;
  readonly settings: LogSettings;
}

/**
 * Which launched processes the keeper has that have not ended, and which runs' output it reads: what
 * it says of itself, so it is not written down.
 */
export class Launches {
  readonly #aliveRun = new Map<ServiceName, number>();
  readonly #launchedRun = new Map<ServiceName, number>();
  readonly #capturedRun = new Map<ServiceName, CapturedRun>();

  began(name: ServiceName, runNumber: number): void {
    this.#aliveRun.set(name, runNumber);
    this.#launchedRun.set(name, runNumber);
  }

  /** A launch of this run was begun here, whatever became of it. */
  hasLaunched(name: ServiceName, runNumber: number): boolean {
    return this.#launchedRun.get(name) === runNumber;
  }

  ended(name: ServiceName, runNumber: number): void {
    if (this.#aliveRun.get(name) === runNumber) this.#aliveRun.delete(name);
  }

  isAlive(name: ServiceName): boolean {
    return this.#aliveRun.has(name);
  }

  captured(name: ServiceName, runNumber: number, settings: LogSettings): void {
    this.#capturedRun.set(name, { runNumber, settings });
  }

  isCaptured(name: ServiceName, runNumber: number): boolean {
    return this.#capturedRun.get(name)?.runNumber === runNumber;
  }

  /** How the output of a run is kept; null when it is not captured. */
  logSettings(name: ServiceName, runNumber: number): LogSettings | null {
    const captured = this.#capturedRun.get(name);
    return captured?.runNumber === runNumber ? captured.settings : null;
  }

  /** Whoever could tell of them is gone. */
  clear(): void {
    this.#aliveRun.clear();
    this.#launchedRun.clear();
    this.#capturedRun.clear();
  }

  forget(name: ServiceName): void {
    this.#aliveRun.delete(name);
    this.#launchedRun.delete(name);
    this.#capturedRun.delete(name);
  }
}
