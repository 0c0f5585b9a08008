import type { BuildInfo } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import type { Brake, Problem } from '../model/desired.ts';
import type { RecordedEvent, ServiceEvent } from '../model/event.ts';
import type { Actor, Intent } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { UserFlag } from '../model/user-flag.ts';

/** What an operator asks for; the id and the time are given by whoever records it. */
export interface IntentRequest {
  readonly want: Intent['want'];
  readonly forced: boolean;
  readonly restart: boolean;
  readonly actor: Actor;
}

/** What a pass over all sources brought. */
export interface UpdateReport {
  /** Services that were not known before. */
  readonly accepted: readonly ServiceName[];
  /** Known services with a new generation. */
  readonly changed: readonly ServiceName[];
  readonly removed: readonly ServiceName[];
  /** Everything that is wrong now, whether it is new or not. */
  readonly problems: readonly Problem[];
  readonly conflicts: readonly { readonly name: ServiceName; readonly files: readonly string[] }[];
  readonly brakes: readonly Brake[];
}

export interface LogTail {
  readonly path: string;
  /** The newest lines, oldest first. */
  readonly lines: readonly string[];
  /** Whether something before or within the lines was left out. */
  readonly truncated: boolean;
}

export interface ProcessDescription {
  readonly pid: number;
  /** Wall time, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The command line; never the environment. */
  readonly command: string;
}

interface DaemonInfo {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly socket: string;
  /** What an operator should know that belongs to no service: brakes, stray problems, fallbacks. */
  readonly warnings: readonly string[];
}

/** Everything that the use cases need of the daemon. */
export interface ApiPorts {
  readonly clock: Clock;
  readonly build: BuildInfo;
  readonly daemonInfo: () => DaemonInfo;
  /** By name, in code point order. */
  readonly statuses: () => readonly ServiceStatus[];
  readonly status: (name: ServiceName) => ServiceStatus | null;
  /** Calls `listener` after each change of a status; the result ends that. */
  readonly subscribe: (listener: (name: ServiceName) => void) => () => void;
  /** Durable when it returns. The caller enqueues. */
  readonly recordIntent: (name: ServiceName, request: IntentRequest) => Intent;
  readonly enqueue: (name: ServiceName) => void;
  /** With `prune`, what a brake holds is let go. Resolves when the new desired state is in force. */
  readonly updateSources: (options: { readonly prune: boolean }) => Promise<UpdateReport>;
  /** The newest `limit` events, oldest first; of all services and the daemon when none is named. */
  readonly events: (query: {
    readonly service?: ServiceName;
    readonly limit: number;
    /** Only events after this one, and the oldest of them. */
    readonly afterSeq?: number;
    /** Only events of this wall time or later. */
    readonly sinceMs?: number;
  }) => readonly RecordedEvent[];
  /** Number of the newest event; a journal that begins anew begins at 1. */
  readonly lastSeq: () => number;
  /** Calls `listener` after each event is recorded; the result ends that. */
  readonly onEvent: (listener: (event: RecordedEvent) => void) => () => void;
  /** Those that hold now, by name. */
  readonly userFlags: (name: ServiceName) => readonly UserFlag[];
  /** Replaces the flags of a service. Durable when it returns. */
  readonly saveUserFlags: (name: ServiceName, flags: readonly UserFlag[]) => void;
  /** The service's output files with at most `lines` of each. */
  readonly tailLogs: (name: ServiceName, lines: number) => Promise<readonly LogTail[]>;
  /** Processes that are gone are left out. */
  readonly describeProcesses: (pids: readonly number[]) => readonly ProcessDescription[];
  readonly emit: (event: ServiceEvent) => void;
}
