import type { ServiceName } from './service-name.ts';
import type { AcceptedSpec, ServiceSpec, SourceId } from './service-spec.ts';

/** One thing that is wrong in one file, in the words people read. */
export interface Problem {
  readonly file: string;
  /** 1-based; `null` when the file as a whole is at fault. */
  readonly line: number | null;
  readonly column: number | null;
  /** e.g. `process.stop_grace_period_ms`; empty for the document itself. */
  readonly keyPath: string;
  readonly message: string;
}

/** `file:line:column: key.path: message`, leaving out what is not known. */
export function formatProblem(problem: Problem): string {
  const position = problem.line === null ? '' : `:${problem.line}:${problem.column ?? 1}`;
  const key = problem.keyPath === '' ? '' : ` ${problem.keyPath}:`;
  return `${problem.file}${position}:${key} ${problem.message}`;
}

/** A {@link Problem} as machines read it. */
export interface ProblemRow {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly key_path: string;
  readonly message: string;
}

/** A problem as it is printed for machines. */
export function problemRowOf({ keyPath, ...problem }: Problem): ProblemRow {
  return { ...problem, key_path: keyPath };
}

/** What one file says. `name` is `null` only where no name could be told. */
export type Definition =
  | {
      readonly kind: 'valid';
      readonly name: ServiceName;
      readonly file: string;
      readonly spec: ServiceSpec;
      /** See `AcceptedSpec.isRootsOwn`. */
      readonly isRootsOwn: boolean;
    }
  | {
      readonly kind: 'invalid';
      readonly name: ServiceName | null;
      readonly file: string;
      readonly problems: readonly [Problem, ...Problem[]];
    };

/** The whole present content of a source, or why it could not be read. */
export type SourceContent =
  | { readonly kind: 'read'; readonly definitions: readonly Definition[] }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Why a definition that is there is not (or no longer) the one in force. */
export type Trouble =
  | { readonly kind: 'invalid'; readonly problems: readonly [Problem, ...Problem[]] }
  | { readonly kind: 'conflict'; readonly files: readonly string[] }
  /** The definition is gone, but so much went with it that nothing is stopped until confirmed. */
  | { readonly kind: 'held'; readonly source: SourceId; readonly reason: string };

/** What is wanted of one service. Both `null` never occurs: such a service is not in the map. */
export interface DesiredService {
  readonly name: ServiceName;
  /** The last good spec; `null` when there never was one. */
  readonly accepted: AcceptedSpec | null;
  readonly trouble: Trouble | null;
  /** Set where the sources say otherwise by now and that waits for `pmctl update`. */
  readonly waiting?: 'changed' | 'removed';
}

/** All specs after merge. */
export interface DesiredState {
  readonly services: ReadonlyMap<ServiceName, DesiredService>;
  /** Definitions that are wrong and have no usable name: shown, never run. */
  readonly strayProblems: readonly Problem[];
  readonly brakes: readonly Brake[];
  /**
   * Whose changes wait for `pmctl update` (`global.apply: manual`), by name. New ones are not among
   * `services`. Left out where nothing waits.
   */
  readonly waitingNames?: readonly ServiceName[];
}

/** The state that the first desired state of a daemon is compared with: what earlier ones had in force. */
export function adoptedState(baseline: ReadonlyMap<ServiceName, AcceptedSpec>): DesiredState {
  const services = [...baseline].map(
    ([name, accepted]) => [name, { name, accepted, trouble: null }] as const,
  );
  return { services: new Map(services), strayProblems: [], brakes: [] };
}

/** A source that lost too much at once (SPEC §4). */
export interface Brake {
  readonly source: SourceId;
  readonly reason: string;
  readonly heldNames: readonly ServiceName[];
}
