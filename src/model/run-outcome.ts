import type { Exit, RunEnd } from './history.ts';
import type { SlotOutcome } from './job-progress.ts';

/** How a run of a job turned out. A stop that came too late to matter changes nothing. */
export function outcomeOfRun(
  end: RunEnd,
  isOvertime: boolean,
  successExitCodes: readonly number[],
): SlotOutcome {
  if (end.stop !== null) return isOvertime ? 'overtime' : 'stopped';
  return outcomeOfExit(end.exit, successExitCodes);
}

function outcomeOfExit(exit: Exit, successExitCodes: readonly number[]): SlotOutcome {
  switch (exit.kind) {
    case 'exited':
      return successExitCodes.includes(exit.code) ? 'ok' : 'failed';
    case 'signaled':
    case 'launch_failed':
      return 'failed';
    case 'unknown':
      return 'lost';
  }
}
