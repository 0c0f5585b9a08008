import type { DesiredService } from '../model/desired.ts';
import {
  type ContentChange,
  contentChanges,
  describeContentChange,
  ENVIRONMENT_STAGE,
  type EnvironmentReading,
} from '../model/environment-reading.ts';
import type { History } from '../model/history.ts';
import type { Condition } from '../model/status.ts';

interface ContentInput {
  readonly desired: DesiredService | null;
  readonly environment: EnvironmentReading | null;
  readonly history: History;
}

/**
 * The files that say something else than when the newest run was started with them. Nothing where the
 * definition itself has changed, or where either is not known. Pure.
 */
export function changedContent({
  desired,
  environment,
  history,
}: ContentInput): ContentChange['sources'] {
  if (environment?.kind !== 'read' || !isOfRun({ desired, environment, history })) return [];
  return contentChanges(history.run?.environmentDigest, environment.digest);
}

/** Whether a reading is of the spec in force, and the newest run was started with that. Pure. */
export function isOfRun({ desired, environment, history }: ContentInput): boolean {
  const started = history.run?.accepted?.restartHash;
  return (
    started !== undefined &&
    environment?.restartHash === started &&
    desired?.accepted?.restartHash === started
  );
}

/** `process.environment[TOKEN]: content of @file:///run/token changed`, or null. */
function changedContentReason(input: ContentInput): string | null {
  const changes = changedContent(input).map(describeContentChange);
  return changes.length === 0 ? null : changes.join('; ');
}

/** The same, but null while that waits for `pmctl update`. */
export function appliedContentReason(input: ContentInput): string | null {
  const { environment } = input;
  return environment?.kind === 'read' && !environment.waits ? changedContentReason(input) : null;
}

/**
 * Why a service that failed is tried again, or null: its environment can be read by now, or is another
 * one. Each failed start says anew what is unreadable, so this holds once for each look.
 */
export function reasonToTryAgain(input: ContentInput): string | null {
  const { environment, history } = input;
  if (environment?.kind !== 'read' || environment.waits) return null;
  const exit = history.runEnd?.exit;
  const wasUnreadable = exit?.kind === 'launch_failed' && exit.stage === ENVIRONMENT_STAGE;
  return wasUnreadable && isOfRun(input)
    ? 'its environment can be read again'
    : changedContentReason(input);
}

/** What was found out about its environment and does not end it. */
export function environmentConditions(input: ContentInput): readonly Condition[] {
  const { environment, desired } = input;
  if (environment?.kind === 'unreadable' && isOfRun(input)) {
    const message = `it runs on with what it was started with, but could not be started again: ${environment.reason}`;
    return [{ type: 'EnvironmentUnreadable', message }];
  }
  const changed = changedContentReason(input);
  if (changed === null || desired?.waiting !== undefined) return [];
  return [{ type: 'ChangePending', message: `${changed}; pmctl update restarts it` }];
}
