import type { ConditionType } from '../model/status.ts';
import type { BriefRow } from '../rpc/status-row.ts';
import { formatSpan } from './format-time.ts';
import { oneLine } from './text.ts';

/** Conditions worth a line of their own in the table, by the word that begins it. */
const LABELS: { readonly [T in ConditionType]?: string } = {
  DefinitionInvalid: 'invalid',
  DefinitionConflict: 'conflict',
  DefinitionHeld: 'held',
  ChangePending: 'pending',
  Scheduled: 'schedule',
  Failed: 'failed',
  Backoff: 'backoff',
  ProvisioningFailed: 'not provisioned',
  ProvisioningOutdated: 'provisioning',
  StopStuck: 'stuck',
  Unrecorded: 'unrecorded',
  Unknown: 'unknown',
  ScheduleHeld: 'held',
  Overdue: 'overdue',
  ActionFailed: 'retrying',
  EnvironmentUnreadable: 'environment unreadable',
  LimitsUnsupported: 'limits',
  OutOfMemory: 'out of memory',
  LimitRefused: 'limit refused',
  MainProcessGone: 'main process gone',
};

/** A definition can be wrong in a hundred places: the first few are enough to begin with. */
const MOST_LINES = 3;

/** What to tell about a service below its line, most often nothing. */
export function noteLines(row: BriefRow): readonly string[] {
  return row.conditions.flatMap(({ type, message }) => {
    const label = Object.hasOwn(LABELS, type) ? LABELS[type as ConditionType] : undefined;
    return label === undefined
      ? []
      : abridge(`${label}: ${message}${nextStart(type, row)}${lastOutcome(type, row)}`);
  });
}

function nextStart(type: string, { next_start_in_ms }: BriefRow): string {
  const isWaiting = type === 'Backoff' || type === 'ProvisioningFailed';
  if (!isWaiting || next_start_in_ms === null) return '';
  const span = next_start_in_ms < 1_000 ? `${next_start_in_ms}ms` : formatSpan(next_start_in_ms);
  return `; next start in ${span}`;
}

function lastOutcome(type: string, { last_outcome }: BriefRow): string {
  return type === 'Scheduled' && last_outcome !== null ? `; last ${last_outcome}` : '';
}

function abridge(note: string): readonly string[] {
  const lines = note.split('\n').map(oneLine);
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), `... and ${lines.length - MOST_LINES} more`];
}
