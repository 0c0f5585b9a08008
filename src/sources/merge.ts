import { isDeepStrictEqual } from 'node:util';
import {
  adoptedState,
  type Brake,
  type Definition,
  type DesiredService,
  type DesiredState,
  type Problem,
  type SourceContent,
} from '../model/desired.ts';
import { restartHash } from '../model/restart-hash.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec, SourceId } from '../model/service-spec.ts';

export interface MergeOptions {
  /** The operator confirms that what is gone is meant to be gone. */
  readonly prune: boolean;
  /** What was in force before a restart of the daemon: stands in for `previous`. */
  readonly baseline: ReadonlyMap<ServiceName, AcceptedSpec>;
}

/** A source that loses more than half of at least this many services at once trips the brake. */
const BRAKE_MIN_SERVICES = 4;

type ServicesByName = ReadonlyMap<ServiceName, DesiredService>;

/** Something that says a service is defined. */
type Claim =
  | { readonly kind: 'definition'; readonly source: SourceId; readonly definition: Definition }
  /** Its source cannot be read, so its last known definition counts as still there. */
  | { readonly kind: 'unseen'; readonly source: SourceId; readonly file: string };

type ClaimsByName = ReadonlyMap<ServiceName, readonly Claim[]>;

/**
 * All specs that are wanted, from what every source holds now and what was in force before.
 * Pure; the order of sources and files does not matter, and the same content again changes nothing.
 *
 * - defined once and valid: in force; its generation grows when the spec differs from the last one
 * - defined twice: nobody's turn, the last good spec stays
 * - invalid: the last good spec stays; without one it is shown, not run
 * - not defined any more: gone, unless its source tripped the brake
 */
export function merge(
  previous: DesiredState | null,
  contents: ReadonlyMap<SourceId, SourceContent>,
  options: MergeOptions,
): DesiredState {
  const before = previous?.services ?? adoptedState(options.baseline).services;
  const { claims, strayProblems } = claimsOf(before, contents, options.prune);
  const brakes = brakesOf(before, contents, claims, options.prune);
  const brakeByName = new Map(
    brakes.flatMap((brake) => brake.heldNames.map((name) => [name, brake] as const)),
  );
  const services = new Map<ServiceName, DesiredService>();
  for (const name of [...new Set([...before.keys(), ...claims.keys()])].toSorted()) {
    const accepted = before.get(name)?.accepted ?? null;
    const brake = brakeByName.get(name) ?? null;
    const service = mergeOne(name, accepted, claims.get(name) ?? [], brake);
    if (service !== null) services.set(name, service);
  }
  return { services, strayProblems, brakes };
}

function mergeOne(
  name: ServiceName,
  accepted: AcceptedSpec | null,
  claims: readonly Claim[],
  brake: Brake | null,
): DesiredService | null {
  const [claim, ...others] = claims;
  if (others.length > 0) {
    const files = claims.map(fileOf).toSorted();
    return { name, accepted, trouble: { kind: 'conflict', files } };
  }
  if (claim?.kind === 'definition') return define(name, accepted, claim);
  if (brake === null) return null;
  return { name, accepted, trouble: { kind: 'held', source: brake.source, reason: brake.reason } };
}

function define(
  name: ServiceName,
  accepted: AcceptedSpec | null,
  { source, definition }: Claim & { readonly kind: 'definition' },
): DesiredService {
  if (definition.kind === 'invalid') {
    return { name, accepted, trouble: { kind: 'invalid', problems: definition.problems } };
  }
  const { spec, file: sourceFile, isRootsOwn } = definition;
  const isSame = accepted !== null && isDeepStrictEqual(accepted.spec, spec);
  const next: AcceptedSpec = isSame
    ? // The reading's own copy, so that the one of a run or of the journal is not kept beside it.
      { ...accepted, spec, sourceFile, source, isRootsOwn }
    : {
        spec,
        generation: (accepted?.generation ?? 0) + 1,
        sourceFile,
        source,
        isRootsOwn,
        restartHash: restartHash(spec),
      };
  return { name, accepted: next, trouble: null };
}

function claimsOf(
  before: ServicesByName,
  contents: ReadonlyMap<SourceId, SourceContent>,
  prune: boolean,
): { readonly claims: ClaimsByName; readonly strayProblems: readonly Problem[] } {
  const claims = new Map<ServiceName, Claim[]>();
  const claimAll = (names: readonly ServiceName[], claim: Claim) => {
    for (const name of names) claims.set(name, [...(claims.get(name) ?? []), claim]);
  };
  for (const [source, content] of contents) {
    if (content.kind === 'unavailable') {
      for (const { name, accepted } of prune ? [] : ownedBy(before, source)) {
        claimAll([name], { kind: 'unseen', source, file: accepted.sourceFile });
      }
      continue;
    }
    for (const definition of content.definitions) {
      if (definition.kind === 'valid') {
        claimAll([definition.name], { kind: 'definition', source, definition });
      }
    }
  }
  const validNames = new Set(claims.keys());
  const strayProblems: Problem[] = [];
  for (const { source, definition } of invalidDefinitions(contents)) {
    const names = namesOfInvalid(before, source, definition, validNames);
    if (names.length === 0) strayProblems.push(...definition.problems);
    claimAll(names, { kind: 'definition', source, definition });
  }
  return { claims, strayProblems: strayProblems.toSorted((a, b) => compare(a.file, b.file)) };
}

function invalidDefinitions(contents: ReadonlyMap<SourceId, SourceContent>) {
  return [...contents].flatMap(([source, content]) =>
    content.kind === 'unavailable'
      ? []
      : content.definitions
          .filter((definition) => definition.kind === 'invalid')
          .map((definition) => ({ source, definition })),
  );
}

/**
 * A broken file speaks for the service that it last defined, whatever name can be read in it now:
 * with `application: web` in `a.yaml`, a typo must not remove `web`.
 */
function namesOfInvalid(
  before: ServicesByName,
  source: SourceId,
  { name, file }: Definition & { readonly kind: 'invalid' },
  validNames: ReadonlySet<ServiceName>,
): readonly ServiceName[] {
  const owned = ownedBy(before, source)
    .filter(({ accepted }) => accepted.sourceFile === file)
    .map((service) => service.name);
  if (name !== null && owned.includes(name)) return [name];
  const orphans = owned.filter((owner) => !validNames.has(owner));
  if (orphans.length > 0) return orphans;
  return name === null ? [] : [name];
}

function brakesOf(
  before: ServicesByName,
  contents: ReadonlyMap<SourceId, SourceContent>,
  claims: ClaimsByName,
  prune: boolean,
): readonly Brake[] {
  const owners = ownedBy(before, null).map(({ accepted }) => accepted.source);
  return [...new Set([...owners, ...contents.keys()])].toSorted().flatMap((source) => {
    const content = contents.get(source);
    const lost = ownedBy(before, source).filter(({ name }) => !isDefined(claims.get(name)));
    const isUnavailable = content?.kind === 'unavailable';
    const isMass = isMassLoss(lost.length, ownedBy(before, source).length);
    const held = prune
      ? []
      : lost.filter(({ trouble }) => isUnavailable || isMass || trouble?.kind === 'held');
    const heldNames = held.map(({ name }) => name).toSorted();
    if (isUnavailable) return [{ source, reason: content.reason, heldNames }];
    const folder = source.slice(source.indexOf(':') + 1);
    const reason = `${heldNames.length} definitions were gone at once from '${folder}'`;
    return heldNames.length === 0 ? [] : [{ source, reason, heldNames }];
  });
}

function isMassLoss(lost: number, owned: number): boolean {
  return owned >= BRAKE_MIN_SERVICES && lost * 2 > owned;
}

function isDefined(claims: readonly Claim[] | undefined): boolean {
  return claims?.some(({ kind }) => kind === 'definition') ?? false;
}

interface OwnedService extends DesiredService {
  readonly accepted: AcceptedSpec;
}

/** The services whose spec in force came from a source, or from any. */
function ownedBy(services: ServicesByName, source: SourceId | null): readonly OwnedService[] {
  return [...services.values()].filter(
    (service): service is OwnedService =>
      service.accepted !== null && (source === null || service.accepted.source === source),
  );
}

function fileOf(claim: Claim): string {
  return claim.kind === 'unseen' ? claim.file : claim.definition.file;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
