import type { DesiredService, DesiredState } from '../model/desired.ts';
import { type ContentChange, namesFiles } from '../model/environment-reading.ts';
import { contentField, fieldChanges, tellingFields } from '../model/field-changes.ts';
import type { ChangeKind, ServiceChange } from '../model/service-change.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { Condition } from '../model/status.ts';
import type { Plan } from './situation.ts';

/** What the next pass over a service would do if something else were desired of it. */
export interface Outlook extends Pick<Plan, 'actions' | 'conditions'> {
  /** Something of it runs, or is about to. */
  readonly runs: boolean;
  /** What its environment is made from and says something else than at its start. */
  readonly changedContent: ContentChange['sources'];
}

/**
 * What would become of each service whose spec differs between what is in force and what would be,
 * by name. Pure: `outlook` foresees, with the very plan that would be carried out.
 */
export function blastRadius(
  before: DesiredState,
  after: DesiredState,
  outlook: (name: ServiceName, desired: DesiredService | null) => Outlook,
): readonly ServiceChange[] {
  const names = new Set([...before.services.keys(), ...after.services.keys()]);
  return [...names].toSorted().flatMap((name) => {
    const one = before.services.get(name)?.accepted ?? null;
    const desired = after.services.get(name) ?? null;
    const other = desired?.accepted ?? null;
    if (one?.generation === other?.generation) {
      // To look at a service costs: only one that names files can be another without a new spec.
      if (one === null || !namesFiles(one.spec)) return [];
      const outlined = outlook(name, desired);
      return outlined.changedContent.length === 0 ? [] : changeOf(name, one, other, outlined);
    }
    return changeOf(name, one, other, outlook(name, desired));
  });
}

function changeOf(
  name: ServiceName,
  before: AcceptedSpec | null,
  after: AcceptedSpec | null,
  outlook: Outlook,
): readonly ServiceChange[] {
  const common = {
    name,
    runs: outlook.runs,
    generationBefore: before?.generation ?? null,
    generationAfter: after?.generation ?? null,
  };
  if (after === null) {
    return before === null
      ? []
      : [{ ...common, kind: 'remove', file: before.sourceFile, fields: [] }];
  }
  const fields =
    before === null ? tellingFields(after.spec) : fieldChanges(before.spec, after.spec);
  const contents = outlook.changedContent.map(({ path }) => contentField(path));
  const restarts =
    before !== null && (before.restartHash !== after.restartHash || contents.length > 0);
  const kind = kindOf(outlook, restarts);
  return [{ ...common, kind, file: after.sourceFile, fields: [...fields, ...contents] }];
}

function kindOf({ actions, conditions, runs }: Outlook, restarts: boolean): ChangeKind {
  const isStart = ({ kind }: Outlook['actions'][number]) =>
    kind === 'start' || (kind === 'provision' && !runs);
  if (actions.some(isStart)) return 'start';
  const has = (type: Condition['type']) => conditions.some((condition) => condition.type === type);
  if (runs && has('Disabled')) return 'stop';
  // Without a change that restarts it, a stop under way has another reason.
  const isReplaced = runs && restarts && (has('Stopping') || has('Unknown'));
  return isReplaced ? 'restart' : 'live';
}
