import type { Instant } from '../lib/clock.ts';
import type { RecordedEvent } from '../model/event.ts';
import type { RunEnd } from '../model/history.ts';
import type { AcceptedSpec } from '../model/service-spec.ts';
import type { ConditionType, ServiceStatus } from '../model/status.ts';
import type { Explanation } from '../rpc/explanation.ts';
import type { ProcessDescription, RunSummary } from './ports.ts';

/** All that an explanation is made from. */
export interface WhyFacts {
  readonly status: ServiceStatus;
  readonly now: Instant;
  readonly shuttingDown: boolean;
  /** The newest events of the service, oldest first. */
  readonly events: readonly RecordedEvent[];
  /** The last runs, oldest first. */
  readonly runs: readonly RunSummary[];
  /** Some of what runs in the cgroup now, in the order in which it is shown. */
  readonly processes: readonly ProcessDescription[];
  /** Where files write their keys (1-based lines), by file and dotted key. */
  readonly linesByFile: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** When the reconciler looks at the service by itself; `null` when nothing is due. */
  readonly nextLookMs: number | null;
  readonly stderr: Explanation['stderr'];
}

/** What a condition says, or `null` where it does not hold. */
export function messageOf({ conditions }: ServiceStatus, type: ConditionType): string | null {
  return conditions.find((condition) => condition.type === type)?.message ?? null;
}

/** The spec that counts: the accepted one, else the one that the newest run was started with. */
export function specInForce({ desired, history }: ServiceStatus): AcceptedSpec | null {
  return desired?.accepted ?? history.run?.accepted ?? null;
}

/** A run's end, with what is known of the run. */
export interface LastEnd {
  readonly end: RunEnd;
  readonly run: number | null;
  readonly ranMs: number | null;
}

/** How the newest run that is over ended: the last one, or the one before the run that goes on. */
export function lastEndOf({ history }: ServiceStatus): LastEnd | null {
  const { run, runEnd, previousEnd } = history;
  if (run !== null && runEnd !== null) {
    const ranMs = Math.max(runEnd.at.monotonicMs - run.launchedAt.monotonicMs, 0);
    return { end: runEnd, run: run.number, ranMs };
  }
  return previousEnd === null ? null : { end: previousEnd, run: null, ranMs: null };
}

/** Whether the file that the spec in force came from says by now what that spec says. */
export function isAsWritten({ desired }: ServiceStatus): boolean {
  return desired?.trouble?.kind !== 'invalid' && desired?.waiting === undefined;
}

/** The line of the first of these keys that a file writes; `null` when it writes none of them. */
export function lineOf(
  { linesByFile }: WhyFacts,
  file: string,
  ...keys: readonly string[]
): number | null {
  const lines = linesByFile.get(file);
  return keys.map((key) => lines?.get(key)).find((line) => line !== undefined) ?? null;
}

/** `file:line` of the first of these keys, or the file alone. */
export function placeOf(facts: WhyFacts, file: string, ...keys: readonly string[]): string {
  const line = lineOf(facts, file, ...keys);
  return line === null ? file : `${file}:${line}`;
}

/** When an event of this kind was recorded last; `null` when it is not among the recent ones. */
export function lastEventAtMs({ events }: WhyFacts, kind: string): number | null {
  return events.findLast((event) => event.kind === kind)?.atMs ?? null;
}

/** What the wall clock showed (or will show) at a monotonic time, in whole milliseconds. */
export function wallMsAt(monotonicMs: number, now: Instant): number {
  return Math.round(now.wallMs + (monotonicMs - now.monotonicMs));
}

/** `1 process`, `3 processes`. */
export function countProcesses(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}
