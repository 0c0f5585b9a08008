import type { CgroupTree } from '../host/cgroup-tree.ts';
import { processExists } from '../host/process-info.ts';
import type { Clock } from '../lib/clock.ts';
import { hasActiveRun } from '../model/history.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { CgroupEvents } from '../observers/cgroup-events.ts';
import { relist } from '../observers/relist.ts';
import type { Controller } from '../reconciler/controller.ts';
import type { Store } from '../reconciler/store.ts';
import { every } from './every.ts';
import type { LoopDelay } from './loop-delay.ts';

const RELIST_MS = 60_000;
/** A main process that is not our child ends without telling anybody, a cgroup without a watch, too. */
const CHECK_MS = 2_000;

export interface LookoutParts {
  readonly clock: Clock;
  readonly tree: CgroupTree;
  readonly store: Store;
  readonly controller: Controller;
  readonly cgroupEvents: CgroupEvents;
  readonly loopDelay: LoopDelay;
  /** The main process is a child of this daemon, so its end is reported. */
  readonly isOwnChild: (name: ServiceName) => boolean;
}

/**
 * Looks at what no signal tells of, at intervals: cgroups that changed unnoticed, and main processes
 * that are not children of this daemon. Makes names due, nothing else; costs nothing per service
 * that needs no looking after.
 */
export class Lookout {
  readonly #parts: LookoutParts;
  /** Services whose main process ends without a word. */
  readonly #silentMains = new Set<ServiceName>();
  #cancels: (() => void)[] = [];
  #checkDueMs = 0;

  constructor(parts: LookoutParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, store } = this.#parts;
    this.#checkDueMs = clock.monotonicMs() + CHECK_MS;
    this.#cancels = [
      store.subscribe((name) => this.#note(name)),
      every(
        clock,
        () => CHECK_MS,
        () => this.#check(),
      ),
      every(
        clock,
        () => RELIST_MS,
        () => this.#relist(),
      ),
    ];
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  #note(name: ServiceName): void {
    const status = this.#parts.store.status(name);
    if (status !== null && hasSilentMain(status) && !this.#parts.isOwnChild(name)) {
      this.#silentMains.add(name);
    } else {
      this.#silentMains.delete(name);
    }
  }

  #check(): void {
    const { store, controller, cgroupEvents, clock, loopDelay } = this.#parts;
    const nowMs = clock.monotonicMs();
    loopDelay.note(this.#checkDueMs, nowMs);
    this.#checkDueMs = nowMs + CHECK_MS;
    if (cgroupEvents.isDegraded) this.#relist();
    for (const name of this.#silentMains) {
      const main = store.history(name)?.main;
      if (main && !processExists(main.pid)) controller.enqueue(name);
    }
  }

  #relist(): void {
    const { tree, store, controller, cgroupEvents } = this.#parts;
    cgroupEvents.retry();
    const shown = new Map(store.statuses().map((status) => [status.name, status.cgroup] as const));
    for (const name of relist(tree, shown)) controller.enqueue(name);
    // A pid may have been given to somebody else between two checks of its existence.
    for (const name of this.#silentMains) controller.enqueue(name);
  }
}

function hasSilentMain({ history, cgroup, conditions }: ServiceStatus): boolean {
  return (
    cgroup.kind === 'populated' &&
    hasActiveRun(history) &&
    history.main !== null &&
    !conditions.some((condition) => condition.type === 'MainProcessGone')
  );
}
