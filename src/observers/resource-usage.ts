import { statSync } from 'node:fs';
import { CgroupGauges, type GaugeReading } from '../host/cgroup-gauges.ts';
import type { CgroupTree } from '../host/cgroup-tree.ts';
import { KernelFile } from '../host/kernel-file.ts';
import type { Clock } from '../lib/clock.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Nobody has watched a service for this long: its gauges are let go of. */
const UNWATCHED_MS = 10_000;

export interface UsageReading extends GaugeReading {
  readonly atMonotonicMs: number;
}

interface Known {
  readonly gauges: CgroupGauges;
  /** A cgroup made anew under the same name has other files. */
  readonly inode: number;
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
  readonly #waits: readonly KernelFile[];
  #waited = '';
  #cancelSweep: (() => void) | null = null;

  constructor(tree: CgroupTree, clock: Clock) {
    this.#tree = tree;
    this.#clock = clock;
    this.#waits = ['memory', 'io'].map(
      (what) => new KernelFile(`${tree.instancePath}/${what}.pressure`),
    );
  }

  /** `null` when nothing of the service runs. */
  read(name: ServiceName): UsageReading | null {
    const atMonotonicMs = this.#clock.monotonicMs();
    const known = this.#find(name);
    if (known === null) return null;
    known.watchedAtMs = atMonotonicMs;
    this.#cancelSweep ??= this.#clock.schedule(UNWATCHED_MS, () => this.#sweep());
    const reading = known.gauges.read();
    return reading === null ? null : { ...reading, atMonotonicMs };
  }

  /**
   * The same for who looks seldom. With `before`, an earlier reading of the same run, only what tells
   * whether its processes had the CPU since is read, unless they had.
   */
  glance(name: ServiceName, before: UsageReading | null): UsageReading | null {
    const atMonotonicMs = this.#clock.monotonicMs();
    const reading = this.#known.get(name)?.gauges.read(before) ?? this.#find(name)?.gauges.read();
    const known = this.#known.get(name);
    if (known?.watchedAtMs === null) known.gauges.letGo();
    return reading === undefined || reading === null ? null : { ...reading, atMonotonicMs };
  }

  /**
   * Whether no process of any service waited for memory or a disk since this was asked last: one that
   * waits has no CPU, and does not show there.
   */
  isCalm(): boolean {
    const waited = this.#waits.map((file) => totalOf(file.read())).join();
    const isCalm = waited === this.#waited;
    this.#waited = waited;
    return isCalm;
  }

  /** Its cgroup is gone. */
  forget(name: ServiceName): void {
    this.#known.get(name)?.gauges.close();
    this.#known.delete(name);
  }

  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    for (const file of this.#waits) file.close();
    for (const name of [...this.#known.keys()]) this.forget(name);
  }

  /** `null` when there is no cgroup. */
  #find(name: ServiceName): Known | null {
    const path = this.#tree.service(name);
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    const known = this.#known.get(name);
    if (known !== undefined && known.inode === inode) return known;
    this.forget(name);
    if (inode === undefined) return null;
    const opened: Known = { gauges: new CgroupGauges(path), inode, watchedAtMs: null };
    this.#known.set(name, opened);
    return opened;
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
