import type { LaunchSetup } from '../host/launch-script.ts';
import type { Instant } from '../lib/clock.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { CaptureOrder } from '../logs/capture.ts';
import type { Exit } from '../model/history.ts';
import type { ProcessIdentity } from '../model/observation.ts';
import type { LogSettings } from '../model/service-spec.ts';

/**
 * Grows with every change that the other side would not understand. A keeper outlives the build of
 * the daemon that started it, so this is an interface between builds: change it rarely.
 */
export const PROTOCOL = 2;

/** Everything the keeper needs to start a service's main process. */
export interface LaunchOrder extends LaunchSetup {
  readonly name: string;
  readonly runNumber: number;
  /** All of it, and nothing else, reaches the command. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stagePath: string;
  readonly capture: CaptureOrder;
}

/** A main process that the keeper has started, and how it ended, if it has. */
export interface KeptLaunch extends ProcessIdentity {
  readonly name: string;
  readonly runNumber: number;
  readonly end: { readonly exit: Exit; readonly at: Instant } | null;
}

/** What a daemon has to say to every keeper: of the master config, and for as long as it is connected. */
export interface Hello {
  /** What the log files of all services may take together; null is without limit. */
  readonly maxTotalLogBytes: number | null;
}

/** What a keeper knows when a daemon comes to it. */
export interface Snapshot {
  readonly protocol: number;
  readonly pid: number;
  readonly launches: readonly KeptLaunch[];
  readonly captured: readonly {
    readonly name: string;
    readonly runNumber: number;
    readonly settings: LogSettings;
  }[];
}

/** Requests of the daemon, each with what it takes and what it gives. */
export interface KeeperMethods {
  readonly hello: { readonly params: Hello; readonly result: Snapshot };
  readonly launch: { readonly params: LaunchOrder; readonly result: ProcessIdentity };
  readonly capture: {
    readonly params: {
      readonly name: string;
      readonly runNumber: number;
      readonly order: CaptureOrder;
    };
    readonly result: null;
  };
  readonly drain: {
    readonly params: { readonly name: string; readonly deadlineMs: number };
    readonly result: null;
  };
  readonly detach: { readonly params: { readonly name: string }; readonly result: null };
  /** The daemon has recorded the end of this run: it need not be kept any more. */
  readonly ack: {
    readonly params: { readonly name: string; readonly runNumber: number };
    readonly result: null;
  };
  /** Write what is left and end. */
  readonly end: { readonly params: Record<never, never>; readonly result: null };
}

export type KeeperMethod = keyof KeeperMethods;

export interface KeeperRequest<M extends KeeperMethod = KeeperMethod> {
  readonly id: number;
  readonly method: M;
  readonly params: KeeperMethods[M]['params'];
}

export interface KeeperFault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stage: string | null;
}

/** One line from the keeper: an answer, or something that happened. */
export type KeeperMessage =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly fault: KeeperFault }
  | { readonly happened: KeeperEvent };

export type KeeperEvent =
  | { readonly kind: 'exited'; readonly launch: KeptLaunch }
  /** Output of a service cannot be read, written or put aside. */
  | { readonly kind: 'trouble'; readonly name: string; readonly message: string };
