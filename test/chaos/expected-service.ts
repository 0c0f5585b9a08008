/** What a file says of a service, as far as it makes a difference. */
export interface File {
  /** Part of the command: another version is another process. */
  readonly version: number;
  readonly enabled: boolean;
  /** A label: applies without a restart. */
  readonly label: number;
  readonly isBroken: boolean;
}

/**
 * What the specification says of one service: a model of a dozen lines to hold against the daemon.
 *
 * INVARIANTS: `file` is what lies in the folder (null: nothing does), `inForce` the last good one.
 */
export interface Expected {
  readonly file: File | null;
  readonly inForce: File | null;
  readonly isStopped: boolean;
  /** Something happened since the last look that gives it another process. */
  readonly mayHaveNewProcess: boolean;
}

export const UNDEFINED: Expected = {
  file: null,
  inForce: null,
  isStopped: false,
  mayHaveNewProcess: true,
};

/** A file was written, or removed (null). */
export function afterFile(before: Expected, file: File | null): Expected {
  if (file === null) return { ...UNDEFINED };
  if (file.isBroken) return { ...before, file };
  const isSame =
    before.inForce?.version === file.version && before.inForce.enabled === file.enabled;
  return {
    ...before,
    file,
    inForce: file,
    mayHaveNewProcess: before.mayHaveNewProcess || !isSame,
  };
}

export function afterOperator(before: Expected, verb: 'start' | 'stop' | 'restart'): Expected {
  return { ...before, isStopped: verb === 'stop', mayHaveNewProcess: true };
}

/** Every process of it was killed by somebody. */
export function afterCrash(before: Expected): Expected {
  return { ...before, mayHaveNewProcess: true };
}

export type ExpectedPhase = 'RUNNING' | 'STOPPED' | 'DISABLED' | 'INVALID' | null;

/** The phase once everything has settled; null: not known any more. */
export function phaseOf({ file, inForce, isStopped }: Expected): ExpectedPhase {
  if (file === null) return null;
  if (inForce === null) return 'INVALID';
  if (isStopped) return 'STOPPED';
  return inForce.enabled ? 'RUNNING' : 'DISABLED';
}
