import { SPEC_SHAPE } from '../model/restart-hash.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { JournalDatabase } from './journal-database.ts';
import { parseJson } from './journal-values.ts';

/** The specs that were in force when the last daemon ended, however it ended. */
export interface KeptSpecs {
  readonly specs: ReadonlyMap<ServiceName, AcceptedSpec>;
  /** In force too, but kept by a build whose specs look different, or damaged. */
  readonly unusable: ReadonlySet<ServiceName>;
}

/** What a row holds; `shape` tells whether this build understands `accepted`. */
interface KeptSpec {
  readonly shape: string;
  readonly accepted: AcceptedSpec;
}

/** Keeps the spec in force of a service; `null` forgets it. */
export function keepSpec(
  database: JournalDatabase,
  name: ServiceName,
  accepted: AcceptedSpec | null,
): void {
  if (accepted === null) {
    database.run('DELETE FROM specs WHERE name = ?', name);
    return;
  }
  const kept: KeptSpec = { shape: SPEC_SHAPE, accepted };
  database.run(
    `INSERT INTO specs (name, accepted) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET accepted = excluded.accepted`,
    ...[name, JSON.stringify(kept)],
  );
}

export function selectSpecs(database: JournalDatabase): KeptSpecs {
  const specs = new Map<ServiceName, AcceptedSpec>();
  const unusable = new Set<ServiceName>();
  for (const row of database.all('SELECT name, accepted FROM specs')) {
    const name = parseServiceName(String(row.name));
    if (name === null) continue;
    const accepted = acceptedIn(row.accepted);
    if (accepted?.spec.name === name) specs.set(name, accepted);
    else unusable.add(name);
  }
  return { specs, unusable };
}

/** Written by this program into a file that only root may read: the shape is all there is to check. */
function acceptedIn(text: unknown): AcceptedSpec | null {
  const kept = parseJson(text) as Partial<KeptSpec> | null;
  return kept?.shape === SPEC_SHAPE ? (kept.accepted ?? null) : null;
}
