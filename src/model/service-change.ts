import type { FieldClass } from './restart-hash.ts';
import type { ServiceName } from './service-name.ts';

/**
 * What a change of a definition does to its service:
 *
 * - `start`    it is started: new, enabled by now, or given another chance
 * - `restart`  it runs, and its process is replaced
 * - `live`     it applies, and no process is touched (none may run, or be wanted)
 * - `stop`     it is stopped: disabled by now
 * - `remove`   it is stopped if it runs, and forgotten
 */
export type ChangeKind = 'start' | 'restart' | 'live' | 'stop' | 'remove';

/** One value that differs, as people read it: secrets masked, long ones cut. */
export interface FieldChange {
  /** The key as files write it; a variable, label or limit by its name: `process.environment[TZ]`. */
  readonly path: string;
  /** Where it is in the file: keys of maps, and names of entries of a list. */
  readonly keys: readonly string[];
  readonly class: FieldClass;
  /** `null`: not set. */
  readonly before: string | null;
  readonly after: string | null;
}

/** One service that would not stay as it is. */
export interface ServiceChange {
  readonly name: ServiceName;
  readonly kind: ChangeKind;
  /** Something of it runs now. */
  readonly runs: boolean;
  /** The file that the new spec is in; of a removed service, the one that it was in. */
  readonly file: string;
  /** `null` of a service that is new. */
  readonly generationBefore: number | null;
  /** `null` of a service that is removed. */
  readonly generationAfter: number | null;
  /** Of a new service what it runs, where and as whom; of a removed one nothing. */
  readonly fields: readonly FieldChange[];
}
