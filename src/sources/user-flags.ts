import type { Clock } from '../lib/clock.ts';
import type { ServiceName } from '../model/service-name.ts';
import { holds, type UserFlag } from '../model/user-flag.ts';

/** Where flags outlive the daemon and the boot. */
export interface UserFlagPort {
  load(): readonly (readonly [ServiceName, readonly UserFlag[]])[];
  /** Replaces those of a service. */
  save(name: ServiceName, flags: readonly UserFlag[]): void;
}

export interface UserFlagListener {
  /** The time of a flag is over. */
  readonly onExpired: (name: ServiceName, flag: UserFlag) => void;
  /** A flag went with the definition of its service. */
  readonly onForgotten: (name: ServiceName, flag: UserFlag) => void;
}

/**
 * The flags that operators put on services.
 *
 * INVARIANTS: `of` never gives a flag whose time is over, whether that was noticed or not; what it
 * gives has been saved.
 */
export class UserFlags {
  readonly #port: UserFlagPort;
  readonly #clock: Clock;
  readonly #listener: UserFlagListener;
  readonly #flagsByName: Map<ServiceName, readonly UserFlag[]>;
  #cancelTimer: () => void = () => {};

  /** Throws what the port throws while loading. */
  constructor(port: UserFlagPort, clock: Clock, listener: UserFlagListener) {
    this.#port = port;
    this.#clock = clock;
    this.#listener = listener;
    this.#flagsByName = new Map(port.load());
  }

  /** Those that hold now, by name. */
  of(name: ServiceName): readonly UserFlag[] {
    const flags = this.#flagsByName.get(name) ?? [];
    const nowMs = this.#clock.wallMs();
    return flags.every((flag) => holds(flag, nowMs))
      ? flags
      : flags.filter((flag) => holds(flag, nowMs));
  }

  /** Services that have flags, also ones that are no longer defined. */
  names(): readonly ServiceName[] {
    return [...this.#flagsByName.keys()];
  }

  /** Replaces the flags of a service. Throws what the port throws; then nothing has changed. */
  save(name: ServiceName, flags: readonly UserFlag[]): void {
    this.#port.save(name, flags);
    if (flags.length === 0) this.#flagsByName.delete(name);
    else this.#flagsByName.set(name, flags);
    this.watchTime();
  }

  /** Saves all of them again: where they are kept, they are no more. */
  saveAll(): void {
    for (const [name, flags] of this.#flagsByName) this.#port.save(name, flags);
  }

  /** The service is gone, and with it what was said of it. */
  forget(name: ServiceName): void {
    const flags = this.of(name);
    if (!this.#flagsByName.has(name)) return;
    this.save(name, []);
    for (const flag of flags) this.#listener.onForgotten(name, flag);
  }

  /** Takes away the flags whose time is over, now and when the next one's is. */
  watchTime(): void {
    this.#cancelTimer();
    const nowMs = this.#clock.wallMs();
    for (const [name, flags] of this.#flagsByName) this.#expire(name, flags, nowMs);
    const left = [...this.#flagsByName.values()].flat();
    const nextMs = Math.min(...left.map(({ expiresAtMs }) => expiresAtMs ?? Infinity));
    // The clock caps its timers, so a step of the wall clock is noticed within half a minute.
    if (nextMs !== Infinity) {
      this.#cancelTimer = this.#clock.schedule(nextMs - nowMs, () => this.watchTime());
    }
  }

  close(): void {
    this.#cancelTimer();
  }

  #expire(name: ServiceName, flags: readonly UserFlag[], nowMs: number): void {
    const left = flags.filter((flag) => holds(flag, nowMs));
    if (left.length === flags.length) return;
    this.#port.save(name, left);
    if (left.length === 0) this.#flagsByName.delete(name);
    else this.#flagsByName.set(name, left);
    for (const flag of flags) if (!left.includes(flag)) this.#listener.onExpired(name, flag);
  }
}
