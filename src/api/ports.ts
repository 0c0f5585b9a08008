import type { BuildInfo } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import type { AdminAction } from '../model/daemon-config.ts';
import type { Brake, DesiredService, Problem } from '../model/desired.ts';
import type { ContentChange } from '../model/environment-reading.ts';
import type { RecordedEvent, ServiceEvent } from '../model/event.ts';
import type { Exit } from '../model/history.ts';
import type { Actor, Intent } from '../model/intent.ts';
import type { SlotOutcome } from '../model/job-progress.ts';
import type { FieldChange, ServiceChange } from '../model/service-change.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { SampleField, UsageSeries } from '../model/usage-sample.ts';
import type { UserFlag } from '../model/user-flag.ts';
import type { LogPosition, PieceBefore, ReadPiece } from '../rpc/log-rows.ts';
import type { UsageRow } from '../rpc/usage-rows.ts';

/** What an operator asks for; the id and the time are given by whoever records it. */
export interface IntentRequest {
  readonly want: Intent['want'];
  readonly forced: boolean;
  readonly restart: boolean;
  readonly actor: Actor;
  readonly reason: string | null;
  /** How long it is to hold; `null` is until something else is asked for. */
  readonly forMs: number | null;
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
  /** What runs with something that a file no longer says, and is restarted for that. */
  readonly contents: readonly ContentChange[];
}

/** A definition that somebody thinks of putting in place. */
export interface ProposedFile {
  /** Absolute; only a name: it is never opened. */
  readonly file: string;
  readonly text: string;
}

/** A change, with the line of each new value; `null` where a default or nothing stands for it. */
export interface LocatedChange extends Omit<ServiceChange, 'fields'> {
  readonly fields: readonly (FieldChange & { readonly line: number | null })[];
}

/** What an update would do, before it is done. */
export interface SourcesDiff {
  readonly changes: readonly LocatedChange[];
  /** Services that would stay as they are. */
  readonly unchanged: number;
  /** What would be wrong then: of the proposed files, or without any of them, of all. */
  readonly problems: readonly Problem[];
  readonly conflicts: UpdateReport['conflicts'];
  readonly brakes: readonly Brake[];
}

export interface LogTail {
  readonly path: string;
  /** The newest lines, oldest first. */
  readonly lines: readonly string[];
  /** Whether something before or within the lines was left out. */
  readonly truncated: boolean;
  /** Why the lines are not known, where they are not. */
  readonly problem?: string;
}

export interface ProcessDescription {
  readonly pid: number;
  /** Wall time, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The command line; never the environment. */
  readonly command: string;
}

/** What became of a definition's file; `created` where defaults had stood for a missing one. */
export type FileEdit = 'edited' | 'created' | 'unchanged';

/** One execution as the journal kept it; `null` is not known (yet). */
export interface RunSummary {
  readonly run: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly exit: Exit | null;
  readonly reason: string | null;
}

/** A slot of a job with its run, or a run that an operator began; `null` is not known (yet). */
export interface JobHistoryEntry {
  readonly service: ServiceName;
  readonly slotMs: number | null;
  readonly lastSlotMs: number | null;
  readonly slots: number | null;
  readonly outcome: SlotOutcome | null;
  readonly reason: string | null;
  readonly run: number | null;
  readonly tries: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly exit: Exit | null;
  readonly cpuMs: number | null;
  readonly peakMemoryBytes: number | null;
}

/** A file with the output of a service. */
export interface LogSource {
  readonly service: ServiceName;
  readonly path: string;
  /** `hint`: the service writes it by itself. One file of both streams is stdout. */
  readonly stream: 'stdout' | 'stderr' | 'hint';
}

/** Both null: the oldest that is there. */
export interface LogStart {
  readonly lines: number | null;
  readonly sinceMs: number | null;
}

/** The commands that operators may run by name; see src/actuators/admin-actions. */
interface AdminActionsPort {
  readonly list: () => readonly AdminAction[];
  readonly run: (action: AdminAction) => Promise<{
    readonly pid: number;
    readonly stdoutPath: string;
    readonly stderrPath: string;
  }>;
  readonly processes: () => readonly AdminProcess[];
  readonly kill: () => Promise<readonly AdminProcess[]>;
}

interface AdminProcess {
  readonly pid: number;
  readonly action: string | null;
}

interface DaemonInfo {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly socket: string;
  /** What an operator should know that belongs to no service: brakes, stray problems, fallbacks. */
  readonly warnings: readonly string[];
}

/** What the daemon uses, and what happened since it began. */
export interface OwnMetrics {
  readonly cpuUs: number;
  readonly residentBytes: number;
  readonly openDescriptors: number;
  /** The worst of the last minute; `null` before the first look. */
  readonly loopDelayMs: number | null;
  readonly events: readonly {
    readonly service: ServiceName | null;
    readonly kind: string;
    readonly count: number;
  }[];
  readonly slots: readonly {
    readonly service: ServiceName;
    readonly outcome: string;
    readonly count: number;
  }[];
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
  /** Takes back what was asked of a service, if it is that; gives what was taken back. */
  readonly liftIntent: (name: ServiceName, isMeant: (intent: Intent) => boolean) => Intent | null;
  readonly enqueue: (name: ServiceName) => void;
  /** Whether a marker of provisioning is at this path, now. */
  readonly hasMarker: (path: string) => boolean;
  /** What the sources said at their last reading, whether a pass has seen it or not. */
  readonly desired: (name: ServiceName) => DesiredService | null;
  /**
   * Writes `global.enabled` into the file that a spec came from; the caller has the sources read.
   * Throws when the file cannot be edited; then it is as it was.
   */
  readonly setEnabled: (accepted: AcceptedSpec, enabled: boolean) => FileEdit;
  /**
   * With `prune`, what a brake holds is let go. With `only`, changes of other services that wait
   * (`global.apply: manual`) go on waiting. Resolves when the new desired state is in force.
   */
  readonly updateSources: (options: {
    readonly prune: boolean;
    readonly only?: readonly ServiceName[];
  }) => Promise<UpdateReport>;
  /**
   * What {@link updateSources} would do now, with these files in their places. Changes nothing.
   * @throws ProcessmasterError `invalid_argument` when a file cannot be a definition by its name.
   */
  readonly diffSources: (options: {
    readonly prune: boolean;
    readonly files: readonly ProposedFile[];
  }) => Promise<SourcesDiff>;
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
  /** The same of the files that the service writes by itself, as far as its user may read them. */
  readonly tailHints: (name: ServiceName, lines: number) => Promise<readonly LogTail[]>;
  /** The files of a service's output, stdout first. */
  readonly logSources: (name: ServiceName) => readonly LogSource[];
  /** Where the last lines begin (0: where it ends), or those of a time or later. */
  readonly logStart: (source: LogSource, start: LogStart) => Promise<LogPosition>;
  /** Reads on, over rotations; in whole lines unless `toTheEnd`. */
  readonly readLog: (
    source: LogSource,
    position: LogPosition,
    options: { readonly untilMs: number | null; readonly toTheEnd: boolean },
  ) => Promise<Omit<ReadPiece, 'problem'>>;
  /** Reads back, over rotations, in whole lines. */
  readonly readLogBefore: (
    source: LogSource,
    position: LogPosition,
  ) => Promise<Omit<PieceBefore, 'problem'>>;
  /** The newest `limit` slots and operators' runs of jobs, oldest first. */
  readonly jobHistory: (query: {
    readonly service?: ServiceName;
    readonly sinceMs: number;
    readonly failedOnly: boolean;
    readonly limit: number;
  }) => readonly JobHistoryEntry[];
  /** What the daemon itself uses now, and what happened since it began. */
  readonly ownMetrics: () => OwnMetrics;
  /** What everything of a service uses, read now, in its run of this number; `null` without a cgroup. */
  readonly usage: (name: ServiceName, run: number | null) => UsageRow | null;
  /** What a service used: `count` samples from the number `first` on, `step` of them to a point. */
  readonly usageSeries: (
    name: ServiceName,
    range: { readonly first: number; readonly count: number; readonly step: number },
    fields: readonly SampleField[],
  ) => readonly UsageSeries[];
  /** Tells this host from others, for the jitter of jobs. */
  readonly hostId: string;
  /** Processes that are gone are left out. */
  readonly describeProcesses: (pids: readonly number[]) => readonly ProcessDescription[];
  /**
   * Replaces the daemon by the program that is there now; resolves when it is certain to happen.
   * @throws ProcessmasterError `conflict` when it cannot, with the reason
   */
  readonly requestRestart: (
    actor: Actor,
  ) => Promise<{ readonly from: BuildInfo; readonly to: BuildInfo }>;
  /** The newest `limit` runs, oldest first. */
  readonly runs: (name: ServiceName, limit: number) => readonly RunSummary[];
  /**
   * The lines (1-based) at which a definition writes these dotted keys, as the file is now. Keys that
   * it does not have are left out; all are for a file that cannot be read.
   */
  readonly locate: (file: string, keyPaths: readonly string[]) => ReadonlyMap<string, number>;
  /** In how many milliseconds a service is looked at again by itself; `null` when nothing is due. */
  readonly nextLookMs: (name: ServiceName) => number | null;
  readonly adminActions: AdminActionsPort;
  readonly isShuttingDown: () => boolean;
  readonly emit: (event: ServiceEvent) => void;
}
