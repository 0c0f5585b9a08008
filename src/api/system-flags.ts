import { type Exit, hasActiveRun, type RunEnd } from '../model/history.ts';
import type { ServiceStatus } from '../model/status.ts';
import { SYSTEM_FLAGS, type SystemFlag } from '../model/system-flag.ts';

/** The flags that the daemon puts on a service, in their order. Pure. */
export function systemFlags(status: ServiceStatus): readonly SystemFlag[] {
  return SYSTEM_FLAGS.filter((flag) => RULES[flag](status));
}

const RULES: { readonly [F in SystemFlag]: (status: ServiceStatus) => boolean } = {
  // A stop by an operator does not make it well: its start or a change of the definition does.
  failed: ({ history, phase }) => history.failed || phase === 'FAILED',
  backoff: ({ phase }) => phase === 'BACKOFF',
  ot_killed: ({ history }) =>
    history.runEnd !== null && history.job?.lastRun?.outcome === 'overtime',
  user_stop: ({ intent }) => intent?.want === 'stop',
  user_start: (status) => hasActiveRun(status.history) && isOperatorsRun(status),
  system_start: (status) => hasActiveRun(status.history) && !isOperatorsRun(status),
  exit_ok: (status) => outcomeOf(status) === 'ok',
  exit_err: (status) => outcomeOf(status) === 'err',
};

/** Began after an operator's newest start, which cleared the counters, and not as a restart since. */
function isOperatorsRun({ history }: ServiceStatus): boolean {
  const { run, clearedByIntentId, restartsMonotonicMs, job } = history;
  if (run === null || clearedByIntentId === 0) return false;
  // What a job runs for a slot is its schedule's, whatever an operator asked for before.
  if (job?.current?.run === run.number) return false;
  return run.intentId >= clearedByIntentId && restartsMonotonicMs.length === 0;
}

/** `null` while a run goes on, when there was none, and where its end was not seen. */
function outcomeOf({ history, desired }: ServiceStatus): 'ok' | 'err' | null {
  const { runEnd, run, job } = history;
  if (runEnd === null) return null;
  if (job?.lastRun?.outcome === 'overtime') return 'err';
  const spec = desired?.accepted?.spec ?? run?.accepted?.spec;
  return outcomeOfEnd(runEnd, spec?.successExitCodes ?? [0]);
}

/** An end that we asked for is never a failure. */
function outcomeOfEnd({ stop, exit }: RunEnd, successExitCodes: readonly number[]) {
  return stop !== null ? 'ok' : outcomeOfExit(exit, successExitCodes);
}

function outcomeOfExit(exit: Exit, successExitCodes: readonly number[]) {
  switch (exit.kind) {
    case 'unknown':
      return null;
    case 'exited':
      return successExitCodes.includes(exit.code) ? 'ok' : 'err';
    case 'signaled':
    case 'launch_failed':
      return 'err';
  }
}
