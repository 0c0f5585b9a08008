import type { Instant } from '../lib/clock.ts';
import { formatLocalTime } from '../lib/local-time.ts';
import { type DesiredService, formatProblem } from '../model/desired.ts';
import { endsAtWallMs, type Intent } from '../model/intent.ts';
import type { Wanted } from '../model/state.ts';
import type { Condition } from '../model/status.ts';

/** What is true of a service because of its definition or an operator, whatever runs. */
export function definitionConditions(
  desired: DesiredService | null,
  wanted: Wanted,
  intent: Intent | null,
  now: Instant,
): readonly Condition[] {
  return [
    ...troubleConditions(desired),
    ...waitingConditions(desired),
    ...neverValid(desired),
    ...wantedConditions(wanted, intent, now),
  ];
}

function waitingConditions(desired: DesiredService | null): readonly Condition[] {
  switch (desired?.waiting) {
    case undefined:
      return [];
    case 'changed': {
      const message = 'its definition was changed; pmctl diff shows how, pmctl update applies it';
      return [{ type: 'ChangePending', message }];
    }
    case 'removed': {
      const message = 'its definition is gone; pmctl update stops and forgets it';
      return [{ type: 'ChangePending', message }];
    }
  }
}

function neverValid(desired: DesiredService | null): readonly Condition[] {
  return desired !== null && desired.accepted === null
    ? [{ type: 'NeverValid', message: 'there never was a valid definition; mend the file' }]
    : [];
}

function wantedConditions(
  wanted: Wanted,
  intent: Intent | null,
  now: Instant,
): readonly Condition[] {
  switch (wanted.kind) {
    case 'run':
    case 'hold':
      return [];
    case 'remove':
      return [{ type: 'Removed', message: wanted.reason }];
    case 'stop':
      return stopConditions(wanted, intent, now);
  }
}

function stopConditions(
  wanted: Wanted & { readonly kind: 'stop' },
  intent: Intent | null,
  now: Instant,
): readonly Condition[] {
  switch (wanted.why) {
    case 'disabled':
      return [
        { type: 'Disabled', message: `${wanted.reason}; pmctl start --force runs it all the same` },
      ];
    case 'operator':
      return intent === null
        ? []
        : [{ type: 'StoppedByOperator', message: stopMessage(intent, now) }];
    case 'shutdown':
      return [];
  }
}

/** `stopped by local at 2026-01-31 12:00:00: new disk; until …; pmctl start lets it run again`. */
function stopMessage(intent: Intent, now: Instant): string {
  const why = intent.reason === null ? '' : `: ${intent.reason}`;
  const endsAtMs = endsAtWallMs(intent, now);
  const until = endsAtMs === null ? [] : [`until ${formatLocalTime(endsAtMs)}`];
  const since = `stopped by ${intent.actor} at ${formatLocalTime(intent.requestedAtMs)}${why}`;
  return [since, ...until, 'pmctl start lets it run again'].join('; ');
}

function troubleConditions(desired: DesiredService | null): readonly Condition[] {
  const trouble = desired?.trouble ?? null;
  if (desired === null || trouble === null) return [];
  const stays = desired.accepted === null ? '' : '; the last good definition stays in force';
  switch (trouble.kind) {
    case 'invalid':
      return [
        {
          type: 'DefinitionInvalid',
          message: `${trouble.problems.map(formatProblem).join('\n')}${stays}`,
        },
      ];
    case 'conflict':
      return [
        {
          type: 'DefinitionConflict',
          message: `defined more than once: ${trouble.files.join(', ')}; remove all but one${stays}`,
        },
      ];
    case 'held':
      return [
        {
          type: 'DefinitionHeld',
          message: `${trouble.reason}; nothing is stopped until pmctl update --prune confirms it`,
        },
      ];
  }
}
