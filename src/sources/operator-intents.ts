import { type Clock, type Instant, readInstant } from '../lib/clock.ts';
import type { Intent } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Where intents outlive the daemon. */
export interface IntentPort {
  load(): readonly (readonly [ServiceName, Intent])[];
  /** `null` removes it. */
  save(name: ServiceName, intent: Intent | null): void;
  /** A number above `lastKnown` that no intent ever had, also none that has been removed. */
  nextId(lastKnown: number): number;
}

/** What an operator asks for: an intent before it has an id and its times. */
export type IntentRequest = Omit<Intent, 'id' | 'requestedAtMs' | 'until'> & {
  /** How long it is to hold, counted from now; `null` is until something else is asked for. */
  readonly forMs: number | null;
};

type IntentClock = Pick<Clock, 'wallMs' | 'monotonicMs'>;

/**
 * What operators last asked for, by service.
 *
 * INVARIANTS: ids grow with each request, also across daemons and when the newest intent has been
 * removed; what `get` gives has been saved.
 */
export class OperatorIntents {
  readonly #port: IntentPort;
  readonly #clock: IntentClock;
  readonly #intentByName: Map<ServiceName, Intent>;
  #lastId: number;

  /** Throws what the port throws while loading. */
  constructor(port: IntentPort, clock: IntentClock) {
    this.#port = port;
    this.#clock = clock;
    this.#intentByName = new Map(port.load());
    this.#lastId = Math.max(0, ...[...this.#intentByName.values()].map(({ id }) => id));
  }

  /** Replaces what was asked for before. Throws what the port throws; then nothing has changed. */
  record(name: ServiceName, request: IntentRequest): Intent {
    const { forMs, ...asked } = request;
    const id = this.#port.nextId(this.#lastId);
    const now = readInstant(this.#clock);
    const intent: Intent = { ...asked, id, requestedAtMs: now.wallMs, until: after(now, forMs) };
    this.#port.save(name, intent);
    this.#lastId = id;
    this.#intentByName.set(name, intent);
    return intent;
  }

  get(name: ServiceName): Intent | null {
    return this.#intentByName.get(name) ?? null;
  }

  /** Saves all of them again: where they are kept, they are no more. */
  saveAll(): void {
    for (const [name, intent] of this.#intentByName) this.#port.save(name, intent);
  }

  /** What was asked is no more: the service is gone, the time is over, or it was lifted. */
  forget(name: ServiceName): void {
    if (!this.#intentByName.has(name)) return;
    this.#port.save(name, null);
    this.#intentByName.delete(name);
  }
}

function after(now: Instant, forMs: number | null): Instant | null {
  if (forMs === null) return null;
  return { wallMs: now.wallMs + forMs, monotonicMs: now.monotonicMs + forMs };
}
