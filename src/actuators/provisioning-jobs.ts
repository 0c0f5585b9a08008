import { setTimeout as delay } from 'node:timers/promises';
import { TimeSlices } from '../host/time-slices.ts';
import type { ServiceName } from '../model/service-name.ts';

/** How the provisioning of a service ended; `message` says what was done, and what was not and why. */
export interface ProvisioningEnd {
  readonly isDone: boolean;
  readonly message: string;
  /** Of the spec that it was begun with. */
  readonly generation: number;
  /** Id of the newest intent when it was begun; 0 when there was none. */
  readonly intentId: number;
}

interface Job {
  readonly key: string;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * What is being provisioned: a tree can take minutes, and neither a stop nor anybody else waits.
 *
 * INVARIANTS: at most one job a service is at work; a job that was given up reports nothing.
 */
export class ProvisioningJobs {
  readonly #slices = new TimeSlices();
  readonly #jobs = new Map<ServiceName, Job>();

  /** @param key  see provisioningKey() */
  isRunning(name: ServiceName, key: string): boolean {
    const job = this.#jobs.get(name);
    return job?.key === key && !job.stop.signal.aborted;
  }

  /**
   * Begins a job, unless the very same is at work; another one is given up first. `work` does not
   * reject but when it is given up.
   */
  begin(
    name: ServiceName,
    key: string,
    work: (slices: TimeSlices, signal: AbortSignal) => Promise<ProvisioningEnd>,
    report: (end: ProvisioningEnd) => void,
  ): void {
    if (this.isRunning(name, key)) return;
    this.giveUp(name);
    const before = this.#jobs.get(name)?.ended ?? Promise.resolve();
    const stop = new AbortController();
    const ended = before
      .then(() => work(this.#slices, stop.signal))
      .then(
        (end) => {
          this.#over(name, stop);
          if (!stop.signal.aborted) report(end);
        },
        () => this.#over(name, stop),
      );
    this.#jobs.set(name, { key, stop, ended });
  }

  giveUp(name: ServiceName): void {
    this.#jobs.get(name)?.stop.abort();
  }

  /** Gives all up; resolves when none is at work any more, or after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    const jobs = [...this.#jobs.values()];
    for (const { stop } of jobs) stop.abort();
    const impatience = new AbortController();
    const late = delay(deadlineMs, undefined, { signal: impatience.signal }).catch(() => {});
    await Promise.race([late, Promise.all(jobs.map(({ ended }) => ended))]);
    impatience.abort();
  }

  /** Another may have taken its place. */
  #over(name: ServiceName, stop: AbortController): void {
    if (this.#jobs.get(name)?.stop === stop) this.#jobs.delete(name);
  }
}
