import { type Invocation, json, type Output, printed } from '../invocation.ts';
import { readCount, readSinceMs } from '../option-values.ts';
import { renderEvents } from '../render-events.ts';

/** Most that one answer holds. */
const ALL = 10_000;

export async function run(invocation: Invocation): Promise<Output> {
  const { operands, values, format, terminal, call } = invocation;
  const since_ms = readSinceMs('events', values.since, Date.now());
  const isFollowing = values.follow === true;
  const limit = readCount('events', '-n', values.lines, presetLimit(since_ms, isFollowing));
  const query = { names: [...operands], limit, since_ms };
  if (isFollowing) {
    const { followEvents } = await import('../follow-events.ts');
    return await followEvents(invocation, query);
  }
  const { events } = await call('events.list', query);
  return printed(format === 'json' ? json(events) : renderEvents(events, terminal));
}

function presetLimit(sinceMs: number | null, isFollowing: boolean): number {
  if (sinceMs !== null) return ALL;
  return isFollowing ? 10 : 200;
}
