import type { RecordedEvent } from '../model/event.ts';
import { parseServiceName } from '../model/service-name.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { EventRow } from '../rpc/status-row.ts';
import { isGlob } from './glob.ts';
import type { ApiPorts } from './ports.ts';
import { select, unknownService } from './select.ts';

/** The newest events, oldest first; also of a service that is gone, as long as any are kept. */
export function listEvents(
  ports: ApiPorts,
  { names, limit }: ParamsOf<'events.list'>,
): ResultOf<'events.list'> {
  const all = names.length === 0 || names.includes('all');
  const events = all ? ports.events({ limit }) : eventsOf(ports, names, limit);
  return { events: events.map(eventRowOf) };
}

/** An event as it is printed. */
export function eventRowOf({ atMs, ...event }: RecordedEvent): EventRow {
  return { ...event, at_ms: atMs };
}

function eventsOf(
  ports: ApiPorts,
  words: readonly string[],
  limit: number,
): readonly RecordedEvent[] {
  const bySeq = new Map<number, RecordedEvent>();
  for (const word of words) {
    for (const event of eventsOfWord(ports, word, limit)) bySeq.set(event.seq, event);
  }
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq).slice(-limit);
}

function eventsOfWord(ports: ApiPorts, word: string, limit: number): readonly RecordedEvent[] {
  const statuses = ports.statuses();
  if (isGlob(word)) {
    const names = select(statuses, [word]).map(({ status }) => status.name);
    return names.flatMap((service) => ports.events({ service, limit }));
  }
  const service = parseServiceName(word);
  const events = service === null ? [] : ports.events({ service, limit });
  const isKnown = service !== null && ports.status(service) !== null;
  if (events.length === 0 && !isKnown)
    throw unknownService(
      word,
      statuses.map(({ name }) => name),
    );
  return events;
}
