import type { ServiceEvent } from '../model/event.ts';
import type { SlotOutcome, SlotRecord } from '../model/job-progress.ts';
import type { ServiceName } from '../model/service-name.ts';

interface EventCount {
  readonly service: ServiceName | null;
  readonly kind: string;
  readonly count: number;
}

interface SlotCount {
  readonly service: ServiceName;
  readonly outcome: SlotOutcome;
  readonly count: number;
}

/**
 * What happened since this daemon began, in numbers.
 *
 * INVARIANTS: only grows, but for services that are gone; a slot is counted once, however often it is told.
 */
export class Counts {
  readonly #events = new Map<ServiceName | null, Map<string, number>>();
  readonly #slots = new Map<ServiceName, Map<SlotOutcome, number>>();
  readonly #countedUntilMs = new Map<ServiceName, number>();

  noteEvent({ service, kind }: ServiceEvent): void {
    const byKind = this.#events.get(service) ?? new Map<string, number>();
    this.#events.set(service, byKind);
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
  }

  /** Slots of a job, oldest first; those that are not over yet count later. */
  noteSlots(service: ServiceName, slots: readonly SlotRecord[]): void {
    for (const { slotMs, lastSlotMs, slots: number, outcome } of slots) {
      if (outcome === null || slotMs <= (this.#countedUntilMs.get(service) ?? 0)) continue;
      this.#countedUntilMs.set(service, lastSlotMs);
      const byOutcome = this.#slots.get(service) ?? new Map<SlotOutcome, number>();
      this.#slots.set(service, byOutcome);
      byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + (number ?? 1));
    }
  }

  /** It is not defined any more. */
  forget(service: ServiceName): void {
    this.#events.delete(service);
    this.#slots.delete(service);
    this.#countedUntilMs.delete(service);
  }

  events(): readonly EventCount[] {
    return [...this.#events].flatMap(([service, byKind]) =>
      [...byKind].map(([kind, count]) => ({ service, kind, count })),
    );
  }

  slots(): readonly SlotCount[] {
    return [...this.#slots].flatMap(([service, byOutcome]) =>
      [...byOutcome].map(([outcome, count]) => ({ service, outcome, count })),
    );
  }
}
