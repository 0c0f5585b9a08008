import { type Brake, type DesiredState, formatProblem } from '../model/desired.ts';

/** What is wrong with the definitions as a whole rather than with one service, in words. Pure. */
export function desiredWarnings({ brakes, strayProblems }: DesiredState): readonly string[] {
  return [...brakes.map(brakeWarning), ...strayProblems.map(formatProblem)];
}

function brakeWarning({ reason, heldNames }: Brake): string {
  if (heldNames.length === 0) return reason;
  const count =
    heldNames.length === 1
      ? '1 service is kept as it was'
      : `${heldNames.length} services are kept as they were`;
  return `${reason}; ${count} (pmctl update --prune lets go)`;
}
