import type { Instant } from '../lib/clock.ts';
import type { ServiceEvent } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';

/** The value of a column that holds JSON; `null` when it holds none. */
export function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** An intent as it was written; `null` when the row says something else. */
export function parseIntent(text: unknown): Intent | null {
  const value = parseJson(text);
  if (!isRecord(value)) return null;
  const { id, want, forced, restart, actor, requestedAtMs } = value;
  // Earlier builds wrote neither of these.
  const { reason = null, until = null } = value;
  if (typeof id !== 'number' || typeof requestedAtMs !== 'number') return null;
  if (want !== 'run' && want !== 'stop') return null;
  if (typeof forced !== 'boolean' || typeof restart !== 'boolean') return null;
  if (typeof actor !== 'string') return null;
  if (reason !== null && typeof reason !== 'string') return null;
  if (until !== null && !isInstant(until)) return null;
  return { id, want, forced, restart, actor, requestedAtMs, reason, until };
}

function isInstant(value: unknown): value is Instant {
  return (
    isRecord(value) && typeof value.wallMs === 'number' && typeof value.monotonicMs === 'number'
  );
}

/** An event's data; values of any other kind than an event has are left out. */
export function parseData(text: unknown): ServiceEvent['data'] {
  const value = parseJson(text);
  const data: Record<string, string | number | boolean | null> = {};
  for (const [key, member] of Object.entries(isRecord(value) ? value : {})) {
    if (isScalar(member)) data[key] = member;
  }
  return data;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
