import type { ServiceName } from '../model/service-name.ts';

/**
 * Which launched processes are children of this daemon whose exit has not been reported, and which
 * runs' output is being read. Both are facts about this process, so they are not written down.
 */
export class Launches {
  readonly #aliveRun = new Map<ServiceName, number>();
  readonly #launchedRun = new Map<ServiceName, number>();
  readonly #capturedRun = new Map<ServiceName, number>();

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

  captured(name: ServiceName, runNumber: number): void {
    this.#capturedRun.set(name, runNumber);
  }

  isCaptured(name: ServiceName, runNumber: number): boolean {
    return this.#capturedRun.get(name) === runNumber;
  }

  forget(name: ServiceName): void {
    this.#aliveRun.delete(name);
    this.#launchedRun.delete(name);
    this.#capturedRun.delete(name);
  }
}
