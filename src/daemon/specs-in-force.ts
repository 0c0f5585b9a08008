import type { Journal } from '../journal/journal.ts';
import type { KeptSpecs } from '../journal/spec-rows.ts';
import type { DesiredState } from '../model/desired.ts';
import { type History, hasActiveRun } from '../model/history.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { Inheritance } from '../sources/source-set.ts';

/**
 * The specs in force, kept in the journal: the last good one of a broken file and the generations
 * outlive every end of the daemon, a clean one and the host's too.
 */
export class SpecsInForce {
  readonly #journal: Journal;
  /** As they are in the journal. */
  #kept: ReadonlyMap<ServiceName, AcceptedSpec> = new Map();
  #isBegun = false;
  #journalsSetAside = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** What earlier daemons had in force, by the journal and by the runs that they left. */
  inherit(histories: ReadonlyMap<ServiceName, History>): Inheritance {
    const kept = this.#journal.loadSpecs();
    this.#kept = kept?.specs ?? new Map();
    this.#isBegun = kept !== null;
    this.#journalsSetAside = this.#journal.setAside.length;
    const baseline = new Map(this.#kept);
    for (const [name, history] of histories) {
      const accepted = history.run?.accepted ?? null;
      if (accepted === null || isBeingRemoved(name, history, kept)) continue;
      // A daemon that was killed may have started it with what it had not written yet.
      const isNewer = accepted.generation > (baseline.get(name)?.generation ?? 0);
      if (isNewer) baseline.set(name, accepted);
    }
    const isFirstStart = kept === null && baseline.size === 0;
    return { baseline, unknown: isFirstStart ? 'all' : unknownNames(kept?.unusable, baseline) };
  }

  /** Keeps what is in force now. */
  keep({ services }: DesiredState): void {
    this.#noteLoss();
    const now = new Map<ServiceName, AcceptedSpec>();
    const changes = new Map<ServiceName, AcceptedSpec | null>();
    for (const [name, { accepted }] of services) {
      if (accepted === null) continue;
      now.set(name, accepted);
      if (!isSame(this.#kept.get(name), accepted)) changes.set(name, accepted);
    }
    for (const name of this.#kept.keys()) if (!now.has(name)) changes.set(name, null);
    this.#kept = now;
    // Also nothing at all, once: from then on it is known that nothing else was in force.
    if (changes.size > 0 || !this.#isBegun) this.#journal.saveSpecs(changes);
    this.#isBegun = true;
  }

  /** A damaged journal that is set aside takes them with it. */
  #noteLoss(): void {
    if (this.#journal.setAside.length === this.#journalsSetAside) return;
    this.#journalsSetAside = this.#journal.setAside.length;
    this.#kept = new Map();
    this.#isBegun = false;
  }
}

/** A definition that is gone is forgotten at once; to end its run is all that is left to do. */
function isBeingRemoved(name: ServiceName, history: History, kept: KeptSpecs | null): boolean {
  const isKept = kept === null || kept.specs.has(name) || kept.unusable.has(name);
  return !isKept && hasActiveRun(history) && history.stop !== null;
}

function unknownNames(
  unusable: ReadonlySet<ServiceName> = new Set(),
  baseline: ReadonlyMap<ServiceName, AcceptedSpec>,
): ReadonlySet<ServiceName> {
  return new Set([...unusable].filter((name) => !baseline.has(name)));
}

/** Within one daemon a generation is one spec; between two builds the hash may have changed. */
function isSame(kept: AcceptedSpec | undefined, accepted: AcceptedSpec): boolean {
  return (
    kept?.generation === accepted.generation &&
    kept.restartHash === accepted.restartHash &&
    kept.sourceFile === accepted.sourceFile &&
    kept.source === accepted.source &&
    kept.isRootsOwn === accepted.isRootsOwn
  );
}
