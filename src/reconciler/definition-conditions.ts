import { type DesiredService, formatProblem } from '../model/desired.ts';
import type { Wanted } from '../model/state.ts';
import type { Condition } from '../model/status.ts';

/** What is true of a service because of its definition or an operator, whatever runs. */
export function definitionConditions(
  desired: DesiredService | null,
  wanted: Wanted,
): readonly Condition[] {
  return [
    ...troubleConditions(desired),
    ...waitingConditions(desired),
    ...neverValid(desired),
    ...wantedConditions(wanted),
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

function wantedConditions(wanted: Wanted): readonly Condition[] {
  switch (wanted.kind) {
    case 'run':
    case 'hold':
      return [];
    case 'remove':
      return [{ type: 'Removed', message: wanted.reason }];
    case 'stop':
      return stopConditions(wanted);
  }
}

function stopConditions(wanted: Wanted & { readonly kind: 'stop' }): readonly Condition[] {
  switch (wanted.why) {
    case 'disabled':
      return [
        { type: 'Disabled', message: `${wanted.reason}; pmctl start --force runs it all the same` },
      ];
    case 'operator':
      return [
        { type: 'StoppedByOperator', message: `${wanted.reason}; pmctl start lets it run again` },
      ];
    case 'shutdown':
      return [];
  }
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
