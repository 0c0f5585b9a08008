import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../lib/clock.ts';
import type { DesiredState } from '../model/desired.ts';
import type { ServiceEvent } from '../model/event.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { UserFlag } from '../model/user-flag.ts';
import { OperatorIntents } from '../sources/operator-intents.ts';
import { UserFlags } from '../sources/user-flags.ts';

export interface OperatorStateParts {
  readonly journal: Journal;
  readonly bootId: string;
  readonly clock: Clock;
  readonly emit: (event: ServiceEvent) => void;
}

/** What operators asked for and said of services, and that it outlives the daemon. */
export interface OperatorState {
  readonly intents: OperatorIntents;
  readonly flags: UserFlags;
  /** From now on events tell what becomes of the journal and of flags. */
  readonly watch: () => void;
}

/** Loads what earlier daemons were told. */
export function loadOperatorState(parts: OperatorStateParts): OperatorState {
  const { journal, bootId, clock } = parts;
  const intents = new OperatorIntents(
    {
      load: () => journal.loadIntents(bootId),
      save: (name, intent) => journal.saveIntent(name, intent, bootId),
      nextId: (lastKnown) => {
        journal.raiseIntentId(lastKnown);
        return journal.nextIntentId();
      },
    },
    clock,
  );
  const sayFlag = (kind: string, why: string) => (service: ServiceName, flag: UserFlag) =>
    say(parts, kind, `flag '${flag.name}' of ${flag.actor} ${why}`, service, { flag: flag.name });
  const flags = new UserFlags(
    { load: () => journal.loadFlags(), save: (name, held) => journal.saveFlags(name, held) },
    clock,
    {
      onExpired: sayFlag('flag.expired', 'is over'),
      onForgotten: sayFlag('flag.removed', 'is gone: its service is no longer defined'),
    },
  );
  const watch = () => {
    watchJournal(parts, () => {
      intents.saveAll();
      flags.saveAll();
    });
    flags.watchTime();
  };
  return { intents, flags, watch };
}

/**
 * Services whose flags are to be forgotten: gone while no daemon was there to see it. None as long
 * as the definitions are not sure to be complete.
 */
export function strayFlagNames(
  flagged: readonly ServiceName[],
  { services, strayProblems, brakes }: DesiredState,
): readonly ServiceName[] {
  const isSure = services.size > 0 && strayProblems.length === 0 && brakes.length === 0;
  return isSure ? flagged.filter((name) => !services.has(name)) : [];
}

function watchJournal(parts: OperatorStateParts, saveAll: () => void): void {
  parts.journal.watch({
    onHealth: ({ ok, reason }) => {
      if (ok) say(parts, 'journal.recovered', 'the journal is written again');
      else say(parts, 'journal.warning', reason);
    },
    onSetAside: (path) => {
      say(parts, 'journal.warning', `the journal was damaged and is set aside as ${path}`);
      saveAll();
    },
  });
}

function say(
  { clock, emit }: OperatorStateParts,
  kind: string,
  message: string,
  service: ServiceName | null = null,
  data: ServiceEvent['data'] = {},
): void {
  const actor = service === null ? 'daemon' : 'supervisor';
  emit({ atMs: clock.wallMs(), service, kind, message, actor, data });
}
