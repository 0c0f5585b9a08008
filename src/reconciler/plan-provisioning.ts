import type { ProvisioningFailure } from '../model/history.ts';
import { markerPath } from '../model/provisioning.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { Condition } from '../model/status.ts';
import type { Plan, Situation } from './situation.ts';

/** A marker that somebody deletes tells nobody: how often a service that runs is looked at for it. */
const MARKER_LOOK_MS = 30_000;
/** Its end is told, unless it is given up. */
const GIVEN_UP_LOOK_MS = 1_000;

/** What is to be done about the provisioning of a service that runs or is about to start. */
export interface ProvisioningPlan extends Plan {
  /** Whether it may be started. */
  readonly isReady: boolean;
}

/** Pure. The start waits for it; what runs goes on meanwhile. */
export function planProvisioning(situation: Situation, accepted: AcceptedSpec): ProvisioningPlan {
  const { observation, history, intent } = situation;
  switch (observation.provisioning) {
    case 'none':
      return { isReady: true, actions: [], requeueAfterMs: null, conditions: [] };
    case 'done':
      return { isReady: true, actions: [], requeueAfterMs: MARKER_LOOK_MS, conditions: [] };
    case 'outdated':
      return {
        isReady: true,
        actions: [],
        requeueAfterMs: MARKER_LOOK_MS,
        conditions: [outdated(accepted)],
      };
    case 'running':
      return {
        isReady: false,
        actions: [],
        requeueAfterMs: GIVEN_UP_LOOK_MS,
        conditions: [PROVISIONING],
      };
    case 'due': {
      const waitMs = waitForRetryMs(situation, accepted, history.provisioning ?? null);
      if (waitMs !== null) {
        const message = history.provisioning?.message ?? '';
        const conditions: Condition[] = [{ type: 'ProvisioningFailed', message }];
        return { isReady: false, actions: [], requeueAfterMs: waitMs, conditions };
      }
      const reason = `${markerPath(accepted.spec.workingDirectory)} is not there`;
      const intentId = intent?.id ?? 0;
      return {
        isReady: false,
        actions: [{ kind: 'provision', accepted, intentId, reason }],
        requeueAfterMs: null,
        conditions: [PROVISIONING],
      };
    }
  }
}

const PROVISIONING: Condition = {
  type: 'Provisioning',
  message: 'its working directory is being provisioned',
};

/** `null`: now. A change of the definition or an operator's start has mended it, perhaps. */
function waitForRetryMs(
  { intent, now }: Situation,
  { generation }: AcceptedSpec,
  failure: ProvisioningFailure | null,
): number | null {
  if (failure === null || failure.generation !== generation) return null;
  if (intent?.want === 'run' && intent.id > failure.intentId) return null;
  const leftMs = (failure.nextTryMonotonicMs ?? now.monotonicMs) - now.monotonicMs;
  return leftMs > 0 ? leftMs : null;
}

function outdated({ spec }: AcceptedSpec): Condition {
  const message = `provisioning was changed since it was applied; delete ${markerPath(spec.workingDirectory)} to have it applied (pmctl update: at once)`;
  return { type: 'ProvisioningOutdated', message };
}
