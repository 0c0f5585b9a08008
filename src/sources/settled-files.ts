import { type BigIntStats, statSync } from 'node:fs';
import type { Instant } from '../lib/clock.ts';
import { isErrno } from '../lib/errors.ts';
import type { Definition } from '../model/desired.ts';

/** How long a file must have been left alone before it is read. */
export const SETTLE_MS = 300;

/** A definition that could be read now. */
export interface Candidate {
  /** Changes whenever the content may have changed. */
  readonly fingerprint: string;
  /** Wall time of the last change (ctime). */
  readonly changedAtMs: number;
  readonly load: () => Definition;
}

interface Reading {
  readonly fingerprint: string;
  readonly definition: Definition;
  /** Monotonic; `null` while the file is there. */
  missingSinceMs: number | null;
}

/** What the files say, and when to look again because some of them are still being written. */
export interface SettledReading {
  readonly definitions: readonly Definition[];
  readonly lookAgainAfterMs: number | null;
}

/**
 * The definitions of one source, each as it was last read.
 *
 * INVARIANTS: an unchanged file is not read again; a file that changed or vanished less than
 * {@link SETTLE_MS} ago keeps its previous reading, so that half-written files and the moment
 * between an editor's unlink and rename never show.
 */
export class SettledFiles {
  readonly #readings = new Map<string, Reading>();
  /** Loaded for the next {@link refresh}; it asks for what it finds then, by fingerprint. */
  readonly #ahead = new Map<string, Pick<Reading, 'fingerprint' | 'definition'>>();

  /**
   * Loads what a {@link refresh} would load now, one file at each step: so long a work can be done
   * in pieces, and what is concluded from it still is one look at everything.
   */
  *loadAhead(
    candidates: ReadonlyMap<string, Candidate>,
    now: Instant,
    settled: boolean,
  ): Generator<void> {
    for (const [id, { fingerprint, changedAtMs, load }] of candidates) {
      const isKnown = [this.#readings, this.#ahead].some(
        (known) => known.get(id)?.fingerprint === fingerprint,
      );
      if (isKnown || (!settled && settlesInMs(changedAtMs, now) !== null)) continue;
      const definition = load();
      if (!isUnreadable(definition)) this.#ahead.set(id, { fingerprint, definition });
      yield;
    }
  }

  /** Takes over what has settled; with `settled` everything as it is now. */
  refresh(
    candidates: ReadonlyMap<string, Candidate>,
    now: Instant,
    settled: boolean,
  ): SettledReading {
    const taken = [...candidates].map(([id, candidate]) => this.#take(id, candidate, now, settled));
    const missing = [...this.#readings.keys()].filter((id) => !candidates.has(id));
    const named = missing.length === 0 ? new Set() : this.#namesOf(candidates);
    const missed = missing.map((id) => this.#miss(id, now, settled, named));
    const waits = [...taken, ...missed].filter((waitMs) => waitMs !== null);
    this.#ahead.clear();
    return {
      definitions: [...this.#readings.values()].map((reading) => reading.definition),
      lookAgainAfterMs: waits.length === 0 ? null : Math.min(...waits),
    };
  }

  /** What a settled {@link refresh} would give; remembers nothing. */
  peek(candidates: ReadonlyMap<string, Candidate>): readonly Definition[] {
    return [...candidates].map(([id, candidate]) => {
      const reading = this.#readings.get(id);
      const isCurrent = reading?.fingerprint === candidate.fingerprint;
      return isCurrent ? reading.definition : candidate.load();
    });
  }

  /** Whether there is a reading of that one, however old. */
  knows(id: string): boolean {
    return this.#readings.has(id);
  }

  /** Whether that one is as it was read. */
  isCurrent(id: string, { fingerprint }: Candidate): boolean {
    return this.#readings.get(id)?.fingerprint === fingerprint;
  }

  #take(id: string, candidate: Candidate, now: Instant, settled: boolean): number | null {
    const reading = this.#readings.get(id);
    if (reading !== undefined) reading.missingSinceMs = null;
    if (reading?.fingerprint === candidate.fingerprint) return null;
    const waitMs = settlesInMs(candidate.changedAtMs, now);
    if (!settled && waitMs !== null) return waitMs;
    const ahead = this.#ahead.get(id);
    const isAhead = ahead?.fingerprint === candidate.fingerprint;
    const definition = isAhead ? ahead.definition : candidate.load();
    this.#readings.set(id, {
      fingerprint: isUnreadable(definition) ? '' : candidate.fingerprint,
      definition,
      missingSinceMs: null,
    });
    return null;
  }

  /** Names that present files define. */
  #namesOf(candidates: ReadonlyMap<string, Candidate>): ReadonlySet<unknown> {
    return new Set([...candidates.keys()].map((id) => this.#readings.get(id)?.definition.name));
  }

  /** A file whose name another one defines by now was renamed: there is nothing to wait for. */
  #miss(id: string, now: Instant, settled: boolean, named: ReadonlySet<unknown>): number | null {
    const reading = this.#readings.get(id);
    if (reading === undefined) return null;
    if (reading.definition.name !== null && named.has(reading.definition.name)) {
      this.#readings.delete(id);
      return null;
    }
    reading.missingSinceMs ??= now.monotonicMs;
    const missingMs = now.monotonicMs - reading.missingSinceMs;
    if (!settled && missingMs < SETTLE_MS) return SETTLE_MS - missingMs;
    this.#readings.delete(id);
    return null;
  }
}

/** In how many milliseconds a file will have been left alone for long enough; `null` if it was. */
export function settlesInMs(changedAtMs: number, now: Instant): number | null {
  const ageMs = now.wallMs - changedAtMs;
  // A change in the future means that the clock was set back: no reason to wait for it.
  return ageMs >= 0 && ageMs < SETTLE_MS ? SETTLE_MS - ageMs : null;
}

/** Identifies a file's content by what any change of it changes. */
export function fingerprintOf(path: string, stats: BigIntStats | undefined): string {
  if (stats === undefined) return `${path} missing`;
  return `${path} ${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

/**
 * What a path leads to, links followed, as what counts is when the content changed; `undefined`
 * where that is nothing. Throws where it cannot be told.
 */
export function statIfThere(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** Why a file could not be read may change without the file changing, so it is tried each time. */
function isUnreadable(definition: Definition): boolean {
  return definition.kind === 'invalid' && definition.problems.some(({ line }) => line === null);
}
