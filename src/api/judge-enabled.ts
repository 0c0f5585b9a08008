import type { DesiredService } from '../model/desired.ts';
import type { Intent } from '../model/intent.ts';
import type { ServiceStatus } from '../model/status.ts';
import { describeState, judgeStart, judgeStop, type Verdict, verdict } from './verdict.ts';

/** A definition that was edited, and what was so just before. */
export interface Enabling {
  readonly enabled: boolean;
  readonly before: ServiceStatus;
  /** What the edit took back. */
  readonly lifted: Intent | null;
  /** What the sources say now. */
  readonly desired: DesiredService | null;
}

/**
 * What became of `enabled` in a definition, as far as a status tells: running, or down, or why
 * neither. `null`: not decided yet, also while the status is from before the edit. Pure.
 */
export function judgeEnabled(status: ServiceStatus | null, enabling: Enabling): Verdict | null {
  const { enabled, before, desired } = enabling;
  if (status === null) return verdict('failed', describeState(null));
  if (desired === null || desired.trouble !== null || isUndone(desired, enabled)) {
    return verdict('failed', `its definition was changed meanwhile: ${describeState(status)}`);
  }
  if (!knows(status, enabling)) return null;
  const superseded = newerIntent(status, enabled);
  if (superseded !== null) {
    const what = superseded.want === 'stop' ? 'stop' : 'start by force';
    return verdict('failed', `superseded by a later ${what} (${superseded.actor})`);
  }
  if (enabled && status.phase === 'SCHEDULED') return verdict('done', describeState(status));
  // No request to be compared with: whatever intent is left says nothing against it.
  const id = status.intent?.id ?? 0;
  const judge = enabled ? judgeStart : judgeStop;
  return judge(status, { intent: { ...NO_INTENT, id, want: enabled ? 'run' : 'stop' }, before });
}

const NO_INTENT: Omit<Intent, 'id' | 'want'> = {
  forced: false,
  restart: false,
  actor: '',
  requestedAtMs: 0,
  reason: null,
  until: null,
};

function isUndone({ accepted }: DesiredService, enabled: boolean): boolean {
  return accepted?.spec.enabled !== enabled;
}

/** Whether a pass has seen both the edit and that the intent is gone. */
function knows({ desired, intent }: ServiceStatus, { enabled, lifted }: Enabling): boolean {
  const isLifted = lifted === null || intent?.id !== lifted.id;
  return isLifted && desired?.accepted?.spec.enabled === enabled;
}

/** An intent against it that the edit would have taken back, so it came later. */
function newerIntent({ intent }: ServiceStatus, enabled: boolean): Intent | null {
  if (intent === null) return null;
  const isAgainst = enabled ? intent.want === 'stop' : intent.want === 'run' && intent.forced;
  return isAgainst ? intent : null;
}
