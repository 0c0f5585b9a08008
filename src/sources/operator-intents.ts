import type { Clock } from '../lib/clock.ts';
import type { Intent } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Where intents outlive the daemon. */
export interface IntentPort {
  load(): readonly (readonly [ServiceName, Intent])[];
  /** `null` removes it. */
  save(name: ServiceName, intent: Intent | null): void;
}

/** What an operator asks for: an intent before it has an id and a time. */
export type IntentRequest = Omit<Intent, 'id' | 'requestedAtMs'>;

/**
 * What operators last asked for, by service.
 *
 * INVARIANTS: ids grow with each request, and a later daemon goes on from the highest that is kept;
 * what `get` gives has been saved.
 */
export class OperatorIntents {
  readonly #port: IntentPort;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #intentByName: Map<ServiceName, Intent>;
  #lastId: number;

  /** Throws what the port throws while loading. */
  constructor(port: IntentPort, clock: Pick<Clock, 'wallMs'>) {
    this.#port = port;
    this.#clock = clock;
    this.#intentByName = new Map(port.load());
    this.#lastId = Math.max(0, ...[...this.#intentByName.values()].map(({ id }) => id));
  }

  /** Replaces what was asked for before. Throws what the port throws; then nothing has changed. */
  record(name: ServiceName, request: IntentRequest): Intent {
    const { want, forced, restart, actor } = request;
    const id = this.#lastId + 1;
    const intent: Intent = {
      id,
      want,
      forced,
      restart,
      actor,
      requestedAtMs: this.#clock.wallMs(),
    };
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

  /** The service is gone, and with it what was asked of it. */
  forget(name: ServiceName): void {
    if (!this.#intentByName.has(name)) return;
    this.#port.save(name, null);
    this.#intentByName.delete(name);
  }
}
