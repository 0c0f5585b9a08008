import type { Journal } from '../journal/journal.ts';
import type { RecordedEvent, ServiceEvent } from '../model/event.ts';

/** Where every event goes: into the journal, the daemon's log, and to who listens. */
export class EventStream {
  readonly #journal: Journal;
  readonly #onEvent: (event: ServiceEvent) => void;
  readonly #listeners = new Set<(event: RecordedEvent) => void>();

  constructor(journal: Journal, onEvent: (event: ServiceEvent) => void) {
    this.#journal = journal;
    this.#onEvent = onEvent;
  }

  emit(event: ServiceEvent): void {
    const seq = this.#journal.appendEvent(event);
    this.#onEvent(event);
    for (const listener of [...this.#listeners]) listener({ ...event, seq });
  }

  /** Calls `listener` after each event is recorded; the result ends that. */
  subscribe(listener: (event: RecordedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
