import { statSync } from 'node:fs';
import { CgroupGauges, type GaugeReading } from '../host/cgroup-gauges.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import type { Clock } from '../lib/clock.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Nobody has watched a service for this long: its gauges are closed. */
const UNWATCHED_MS = 10_000;

export interface UsageReading extends GaugeReading {
  readonly atMonotonicMs: number;
}

interface Watched {
  readonly gauges: CgroupGauges;
  /** A cgroup made anew under the same name has other files. */
  readonly inode: number;
  readonly readAtMs: number;
}

/**
 * What services use, read when somebody asks. Who asks again and again reads from descriptors that are
 * kept meanwhile.
 *
 * INVARIANTS: costs nothing while nobody asks: no timer, no descriptor, no memory per service.
 */
export class ResourceUsage {
  readonly #tree: CgroupTree;
  readonly #clock: Clock;
  readonly #watched = new Map<ServiceName, Watched>();
  #cancelSweep: (() => void) | null = null;

  constructor(tree: CgroupTree, clock: Clock) {
    this.#tree = tree;
    this.#clock = clock;
  }

  /** `null` when nothing of the service runs. */
  read(name: ServiceName): UsageReading | null {
    const atMonotonicMs = this.#clock.monotonicMs();
    const path = this.#tree.service(name);
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    const known = this.#watched.get(name);
    if (inode === undefined || (known !== undefined && known.inode !== inode)) this.#drop(name);
    if (inode === undefined) return null;
    const gauges = this.#watched.get(name)?.gauges ?? new CgroupGauges(path);
    this.#watched.set(name, { gauges, inode, readAtMs: atMonotonicMs });
    this.#cancelSweep ??= this.#clock.schedule(UNWATCHED_MS, () => this.#sweep());
    const reading = gauges.read();
    return reading === null ? null : { ...reading, atMonotonicMs };
  }

  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    for (const name of [...this.#watched.keys()]) this.#drop(name);
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const leastMs = this.#clock.monotonicMs() - UNWATCHED_MS;
    for (const [name, { readAtMs }] of this.#watched) if (readAtMs <= leastMs) this.#drop(name);
    if (this.#watched.size > 0) {
      this.#cancelSweep = this.#clock.schedule(UNWATCHED_MS, () => this.#sweep());
    }
  }

  #drop(name: ServiceName): void {
    this.#watched.get(name)?.gauges.close();
    this.#watched.delete(name);
  }
}
