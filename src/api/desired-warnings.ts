import { type Brake, type DesiredState, formatProblem } from '../model/desired.ts';

/** What is wrong with the definitions as a whole rather than with one service, in words. Pure. */
export function desiredWarnings(desired: DesiredState): readonly string[] {
  const { brakes, strayProblems, waitingNames = [] } = desired;
  return [
    ...brakes.map(brakeWarning),
    ...strayProblems.map(formatProblem),
    ...waitingWarnings(waitingNames.length),
  ];
}

function waitingWarnings(count: number): readonly string[] {
  if (count === 0) return [];
  const [changes, them] = count === 1 ? ['1 change is', 'it'] : [`${count} changes are`, 'them'];
  return [`${changes} pending: pmctl diff shows ${them}, pmctl update applies ${them}`];
}

function brakeWarning({ reason, heldNames }: Brake): string {
  if (heldNames.length === 0) return reason;
  const count =
    heldNames.length === 1
      ? '1 service is kept as it was'
      : `${heldNames.length} services are kept as they were`;
  return `${reason}; ${count} (pmctl update --prune lets go)`;
}
