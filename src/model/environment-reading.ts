import type { ServiceName } from './service-name.ts';
import type { ServiceSpec, Variable } from './service-spec.ts';

/** Something outside of the definition that an environment is made from. */
interface EnvironmentSource {
  /** The key that names it: `process.environment[TOKEN]`, `process.env_file`. */
  readonly path: string;
  /** What it is, as people know it: `@file:///run/token`, `/srv/web/.env`. Never a value. */
  readonly reference: string;
}

interface SourceDigest extends EnvironmentSource {
  /** Keyed hash of what it says; tells nothing but whether it is still the same. */
  readonly mac: string;
}

/** What an environment was made from, told apart and not told: see {@link contentChanges}. */
export interface EnvironmentDigest {
  /** Names the key of the hashes; those of two keys have nothing to do with each other. */
  readonly keyId: string;
  readonly sources: readonly SourceDigest[];
}

/** What the files that a spec names said when they were last read. */
export type EnvironmentReading = {
  /** Of the spec that they were read for, see `AcceptedSpec.restartHash`. */
  readonly restartHash: string;
} & (
  | {
      readonly kind: 'read';
      readonly digest: EnvironmentDigest;
      /** A change waits for `pmctl update` (`global.apply: manual`). */
      readonly waits: boolean;
    }
  | { readonly kind: 'unreadable'; readonly reason: string }
);

/** A declared environment that a process can be given. */
export interface ResolvedEnvironment {
  /** Later ones win. None may be shown to anybody. */
  readonly variables: readonly Variable[];
  /** `null` where all of it stands in the definition. */
  readonly digest: EnvironmentDigest | null;
}

/** The stage of a launch that reads them. */
export const ENVIRONMENT_STAGE = 'environment';

/** A service whose environment would be another one now, and where that comes from. */
export interface ContentChange {
  readonly name: ServiceName;
  readonly sources: readonly EnvironmentSource[];
}

/** Whether an environment is made from anything outside of the definition. */
export function namesFiles({ environment, environmentFiles }: ServiceSpec): boolean {
  // A run of an earlier build has no list.
  if ((environmentFiles ?? []).length > 0) return true;
  return environment.some(({ value }) => value.startsWith('@file://'));
}

/** What says something else by now. Where one of the two is not known, nothing is. */
export function contentChanges(
  before: EnvironmentDigest | null | undefined,
  after: EnvironmentDigest,
): readonly EnvironmentSource[] {
  if (before?.keyId !== after.keyId) return [];
  const idOf = ({ path, reference }: EnvironmentSource) => JSON.stringify([path, reference]);
  const macById = new Map(before.sources.map((source) => [idOf(source), source.mac] as const));
  return after.sources
    .filter((source) => (macById.get(idOf(source)) ?? source.mac) !== source.mac)
    .map(({ path, reference }) => ({ path, reference }));
}

/** `process.environment[TOKEN]: content of @file:///run/token changed`. */
export function describeContentChange({ path, reference }: EnvironmentSource): string {
  return `${path}: content of ${reference} changed`;
}
