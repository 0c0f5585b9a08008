import { createHmac } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Identity, resolveIdentity } from '../host/identity.ts';
import { messageOf } from '../lib/errors.ts';
import type { DesiredState } from '../model/desired.ts';
import {
  type EnvironmentDigest,
  type EnvironmentReading,
  namesFiles,
  type ResolvedEnvironment,
} from '../model/environment-reading.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import { readEnvironment, type SourceContent } from './read-environment.ts';

export interface RefreshOptions {
  /** Takes every file as it is now; else what changed must stay so for a moment, lest it is half written. */
  readonly settled: boolean;
  /** Whose changed contents wait for `pmctl update`. */
  readonly waits: (name: ServiceName) => boolean;
}

/** So many services are read before others have their turn. */
const BATCH = 50;
const MAC_DIGITS = 32;

/**
 * What the files that environments are made from said when they were last read, by service, as keyed
 * hashes: no value is kept.
 *
 * INVARIANTS: who read last is who is remembered, so a start and a later look never contradict each
 * other; a service that names no file is not in here and costs nothing.
 */
export class EnvironmentReadings {
  readonly #loadKey: () => Buffer;
  readonly #settle: () => Promise<void>;
  readonly #readings = new Map<ServiceName, EnvironmentReading>();
  #key: { readonly key: Buffer; readonly id: string } | null = null;

  /**
   * `loadKey` is asked once, and only if there is anything to read; it must not throw. `settle` takes as
   * long as a file must have been left alone.
   */
  constructor(loadKey: () => Buffer, settle: () => Promise<void>) {
    this.#loadKey = loadKey;
    this.#settle = settle;
  }

  of(name: ServiceName): EnvironmentReading | null {
    return this.#readings.get(name) ?? null;
  }

  /** Of the services that name files, as far as they were looked at. */
  names(): readonly ServiceName[] {
    return [...this.#readings.keys()];
  }

  /**
   * The environment that a process of this service gets now. `identity` is who it runs as.
   * @throws ProcessmasterError `launch_failed` at the stage `environment`; never shows a value
   */
  resolve(accepted: AcceptedSpec, identity: Identity): ResolvedEnvironment {
    const { name } = accepted.spec;
    try {
      const { variables, sources } = readEnvironment(accepted, readerOf(accepted, identity));
      const isRead = namesFiles(accepted.spec);
      const digest = isRead ? this.#digest(name, sources) : null;
      if (digest === null) this.#readings.delete(name);
      else this.#readings.set(name, readingOf(accepted, digest, false));
      return { variables, digest };
    } catch (error) {
      this.#readings.set(name, unreadable(accepted, error));
      throw error;
    }
  }

  /** Looks at what services in force name. Gives the names of which something else is known now. */
  async refresh(
    { services }: DesiredState,
    { settled, waits }: RefreshOptions,
  ): Promise<readonly ServiceName[]> {
    for (const name of this.#readings.keys()) if (!services.has(name)) this.#readings.delete(name);
    const seen = settled ? null : await this.#changing(services);
    if (seen?.size === 0) return [];
    const changedNames: ServiceName[] = [];
    await this.#lookAtAll(services, (accepted, reading) => {
      const { name } = accepted.spec;
      // What changes just now is left to the next look.
      if (seen !== null && !isDeepStrictEqual(seen.get(name), reading)) return;
      const before = this.#readings.get(name);
      const next = heldBack(before, reading, waits(name));
      if (isDeepStrictEqual(before, next)) return;
      this.#readings.set(name, next);
      changedNames.push(name);
    });
    return changedNames;
  }

  /** What differs from what is remembered, as it was a moment ago. */
  async #changing(services: DesiredState['services']) {
    const seen = new Map<ServiceName, EnvironmentReading>();
    await this.#lookAtAll(services, ({ spec: { name } }, reading) => {
      if (!isSameContent(this.#readings.get(name), reading)) seen.set(name, reading);
    });
    if (seen.size > 0) await this.#settle();
    return seen;
  }

  /** What a refresh would know then. Remembers nothing. */
  async peek({ services }: DesiredState): Promise<ReadonlyMap<ServiceName, EnvironmentReading>> {
    const readings = new Map<ServiceName, EnvironmentReading>();
    await this.#lookAtAll(services, ({ spec }, reading) => readings.set(spec.name, reading));
    return readings;
  }

  /** `tell` is called in the turn of the look. */
  async #lookAtAll(
    services: DesiredState['services'],
    tell: (accepted: AcceptedSpec, reading: EnvironmentReading) => void,
  ): Promise<void> {
    let looks = 0;
    for (const { accepted } of services.values()) {
      if (accepted === null || !namesFiles(accepted.spec)) continue;
      looks += 1;
      if (looks % BATCH === 0) await turn();
      const { user, group } = accepted.spec;
      try {
        const identity = accepted.isRootsOwn ? null : await resolveIdentity(user, group);
        tell(accepted, this.#look(accepted, identity));
      } catch (error) {
        tell(accepted, unreadable(accepted, error));
      }
    }
  }

  #look(accepted: AcceptedSpec, identity: Identity | null): EnvironmentReading {
    const { sources } = readEnvironment(accepted, identity && readerOf(accepted, identity));
    return readingOf(accepted, this.#digest(accepted.spec.name, sources), false);
  }

  #digest(name: ServiceName, sources: readonly SourceContent[]): EnvironmentDigest {
    this.#key ??= withId(this.#loadKey());
    const { key, id } = this.#key;
    return {
      keyId: id,
      sources: sources.map(({ path, reference, variables }) => ({
        path,
        reference,
        mac: macOf(key, JSON.stringify([name, path, reference, variables])),
      })),
    };
  }
}

/** Whose rights count; root may read what a definition names that only root could write. */
function readerOf(accepted: AcceptedSpec, identity: Identity): Identity | null {
  return accepted.isRootsOwn ? null : identity;
}

function readingOf(
  { restartHash }: AcceptedSpec,
  digest: EnvironmentDigest,
  waits: boolean,
): EnvironmentReading {
  return { kind: 'read', restartHash, digest, waits };
}

function unreadable({ restartHash }: AcceptedSpec, error: unknown): EnvironmentReading {
  return { kind: 'unreadable', restartHash, reason: messageOf(error) };
}

function isSameContent(before: EnvironmentReading | undefined, reading: EnvironmentReading) {
  if (before?.kind !== 'read' || reading.kind !== 'read') return isDeepStrictEqual(before, reading);
  return isDeepStrictEqual({ ...before, waits: false }, reading);
}

/** What was applied already does not wait again. */
function heldBack(
  before: EnvironmentReading | undefined,
  reading: EnvironmentReading,
  waits: boolean,
): EnvironmentReading {
  if (reading.kind !== 'read' || !waits) return reading;
  const isApplied =
    before?.kind === 'read' && !before.waits && isDeepStrictEqual(before.digest, reading.digest);
  return { ...reading, waits: !isApplied };
}

function withId(key: Buffer) {
  return { key, id: macOf(key, 'id') };
}

function macOf(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex').slice(0, MAC_DIGITS);
}
