import { type ConfigIssue, valueAt } from './config-issue.ts';
import { boundMs } from './job-bounds.ts';
import { parseLocalTime } from './job-fields.ts';
import { textOf } from './literal.ts';
import type { ServiceFile } from './service-schema.ts';
import type { JobSpec } from './service-spec.ts';

/** Keys that mean something for a job only, with the value that means nothing. */
const JOB_KEYS: readonly (readonly [string, string | null])[] = [
  ['not_before', null],
  ['not_after', null],
  ['max_time_per_run', 'never'],
  ['timezone', null],
  ['catch_up', 'none'],
  ['jitter', null],
  ['retries', null],
  ['retry_delay', null],
  ['expect_within', null],
];

/** What is wrong with a job beyond each of its keys. */
export function jobIssues(raw: unknown): readonly ConfigIssue[] {
  if (valueAt(raw, ['process', 'schedule']) !== undefined) return boundIssues(raw);
  return JOB_KEYS.flatMap(([key, inert]) => {
    const path = ['process', key];
    const value = valueAt(raw, path);
    if (value === undefined || value === inert) return [];
    const message = 'has no effect without process.schedule (add that, or remove this)';
    return [{ path, at: 'key' as const, message }];
  });
}

/** In any one zone the two are in the same order, but for an hour of summer time. */
function boundIssues(raw: unknown): readonly ConfigIssue[] {
  const path = ['process', 'not_after'];
  const first = textOf(valueAt(raw, ['process', 'not_before']));
  const last = textOf(valueAt(raw, path));
  if (first === undefined || last === undefined) return [];
  if (!parseLocalTime(first).ok || !parseLocalTime(last).ok) return [];
  if (boundMs(first, 'first', 'UTC') <= boundMs(last, 'last', 'UTC')) return [];
  const message = `expected a time after process.not_before (${first}), got ${JSON.stringify(last)}`;
  return [{ path, at: 'value', message }];
}

/** The job that a definition describes; `null` for a service without a schedule. */
export function jobSpec(process: ServiceFile['process']): JobSpec | null {
  if (process.schedule === undefined) return null;
  return {
    schedule: process.schedule,
    timezone: process.timezone ?? null,
    notBefore: process.not_before ?? null,
    notAfter: process.not_after ?? null,
    maxTimePerRunMs: process.max_time_per_run ?? null,
    catchUp: process.catch_up,
    jitterMs: process.jitter,
    retries: process.retries,
    retryDelayMs: process.retry_delay,
    expectWithinMs: process.expect_within ?? null,
  };
}
