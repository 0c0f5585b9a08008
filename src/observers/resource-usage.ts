import { CgroupGauges, type GaugeMoment, type GaugeReading } from '../host/cgroup-gauges.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { KernelFile } from '../host/kernel-file.ts';
import type { Clock } from '../lib/clock.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Nobody has watched a service for this long: its gauges are let go of. */
const UNWATCHED_MS = 10_000;
/** Limits, and the memory of what does nothing, may be as old as this: for who watches, and who glances. */
const WATCHED_AGE_MS = 10_000;
const GLANCED_AGE_MS = 60_000;
/** What is asked of all services, one after the other, is of one moment. */
const MOMENT_MS = 50;

export interface UsageReading {
  readonly gauges: GaugeReading;
  readonly atMonotonicMs: number;
}

interface Known {
  readonly gauges: CgroupGauges;
  /** When somebody asked last; `null` while nobody watches. */
  watchedAtMs: number | null;
}

/**
 * What services use. Who asks again and again (`read`) reads from descriptors that are kept meanwhile; who
 * looks now and then (`glance`) has one kept for each service.
 *
 * INVARIANTS: no timer while nobody watches; nothing is kept of a service whose cgroup is gone.
 */
export class ResourceUsage {
  readonly #tree: CgroupTree;
  readonly #clock: Clock;
  readonly #known = new Map<ServiceName, Known>();
  /** Of all services together. */
  readonly #memoryPressure: KernelFile;
  readonly #ioPressure: KernelFile;
  #moment: GaugeMoment | null = null;
  #cancelSweep: (() => void) | null = null;

  constructor(tree: CgroupTree, clock: Clock) {
    this.#tree = tree;
    this.#clock = clock;
    this.#memoryPressure = new KernelFile(`${tree.instancePath}/memory.pressure`);
    this.#ioPressure = new KernelFile(`${tree.instancePath}/io.pressure`);
  }

  /** `null` when nothing of the service runs. */
  read(name: ServiceName): UsageReading | null {
    const reading = this.#read(name, WATCHED_AGE_MS);
    const known = this.#known.get(name);
    if (known !== undefined) known.watchedAtMs = this.#clock.monotonicMs();
    this.#cancelSweep ??= this.#clock.schedule(UNWATCHED_MS, () => this.#sweep());
    return reading;
  }

  /** The same for who looks seldom; what does nothing may be up to a minute old. */
  glance(name: ServiceName): UsageReading | null {
    const reading = this.#read(name, GLANCED_AGE_MS);
    const known = this.#known.get(name);
    if (known?.watchedAtMs === null) known.gauges.letGo();
    return reading;
  }

  /** Its cgroup is gone. */
  forget(name: ServiceName): void {
    this.#known.get(name)?.gauges.close();
    this.#known.delete(name);
  }

  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    this.#memoryPressure.close();
    this.#ioPressure.close();
    for (const name of [...this.#known.keys()]) this.forget(name);
  }

  #read(name: ServiceName, mayBeOldMs: number): UsageReading | null {
    const atMonotonicMs = this.#clock.monotonicMs();
    const moment = this.#momentOf(atMonotonicMs, mayBeOldMs);
    // A cgroup that was made anew under the same name has other files; those of the old one are dead.
    const gauges = this.#known.get(name)?.gauges.read(moment) ?? this.#open(name).read(moment);
    if (gauges !== null) return { gauges, atMonotonicMs };
    this.forget(name);
    return null;
  }

  #open(name: ServiceName): CgroupGauges {
    this.forget(name);
    const gauges = new CgroupGauges(this.#tree.service(name));
    this.#known.set(name, { gauges, watchedAtMs: null });
    return gauges;
  }

  /** What services waited until now; once for all that are asked for together. */
  #momentOf(nowMs: number, mayBeOldMs: number): GaugeMoment {
    const moment = this.#moment;
    const isNow = moment !== null && nowMs - moment.nowMs < MOMENT_MS;
    if (isNow && moment.mayBeOldMs === mayBeOldMs) return moment;
    const waitedForMemory = totalOf(this.#memoryPressure.read());
    const waitedForIo = totalOf(this.#ioPressure.read());
    this.#moment = { nowMs, mayBeOldMs, waitedForMemory, waitedForIo };
    return this.#moment;
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const leastMs = this.#clock.monotonicMs() - UNWATCHED_MS;
    let isWatched = false;
    for (const known of this.#known.values()) {
      if (known.watchedAtMs === null) continue;
      if (known.watchedAtMs > leastMs) isWatched = true;
      else known.watchedAtMs = null;
      if (known.watchedAtMs === null) known.gauges.letGo();
    }
    if (isWatched) this.#cancelSweep = this.#clock.schedule(UNWATCHED_MS, () => this.#sweep());
  }
}

/** The time that was waited, in sum; nothing where the kernel does not tell it. */
function totalOf(pressure: string | null): string {
  return /total=(\d+)/.exec(pressure ?? '')?.[1] ?? '';
}
