import type { RecordedEvent } from '../model/event.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { EventRow } from '../rpc/status-row.ts';
import { globMatcher, isGlob } from './glob.ts';
import type { ApiPorts } from './ports.ts';
import { select, unknownService } from './select.ts';
import { waitForEvent } from './wait-for-event.ts';

type Params = ParamsOf<'events.list'>;
type Result = ResultOf<'events.list'>;

/** Where to begin: nothing more is asked of events than to be newer than this. */
interface Bounds {
  readonly limit: number;
  readonly sinceMs?: number;
}

/** So many events are looked through at most for one answer: the next goes on from there. */
const MOST_SCANNED = 10_000;

/**
 * The newest events, or those after a number, oldest first; also of a service that is gone, as long
 * as any are kept. With `wait_ms` an empty answer is put off until there is something to answer.
 *
 * @throws ProcessmasterError `not_found`; `unreachable` when nobody waits any more
 */
export async function listEvents(
  ports: ApiPorts,
  params: Params,
  { signal }: CallContext,
): Promise<Result> {
  const found = findEvents(ports, params);
  const { after_seq, wait_ms } = params;
  // A number that this journal never gave is answered at once: its events are to be asked for anew.
  const isOurs = after_seq === null || after_seq <= found.last_seq;
  if (found.events.length > 0 || wait_ms === 0 || !isOurs) return found;
  // What was looked through without a match is not looked through again.
  if (found.next_seq < found.last_seq) return found;
  await waitForEvent(ports, concerning(params), { timeoutMs: wait_ms, signal });
  return findEvents(ports, { ...params, after_seq: found.next_seq });
}

/** An event as it is printed. */
export function eventRowOf({ atMs, ...event }: RecordedEvent): EventRow {
  return { ...event, at_ms: atMs };
}

function findEvents(ports: ApiPorts, params: Params): Result {
  const last_seq = ports.lastSeq();
  if (params.after_seq !== null)
    return { ...eventsAfter(ports, params.after_seq, params), last_seq };
  const { names, limit, since_ms } = params;
  const bounds: Bounds = { limit, ...(since_ms === null ? {} : { sinceMs: since_ms }) };
  const events = meansAll(names) ? ports.events(bounds) : newestOf(ports, names, bounds);
  return { events: events.map(eventRowOf), next_seq: last_seq, last_seq };
}

function eventsAfter(ports: ApiPorts, afterSeq: number, params: Params) {
  const scanned = ports.events({ afterSeq, limit: MOST_SCANNED });
  const matching = scanned.filter(concerning(params));
  const events = matching.slice(0, params.limit);
  const lastOf = matching.length > events.length ? events : scanned;
  return { events: events.map(eventRowOf), next_seq: lastOf.at(-1)?.seq ?? afterSeq };
}

/** Whether an event is asked for. Names are not looked up: services come and go meanwhile. */
function concerning({ names, since_ms }: Params): (event: RecordedEvent) => boolean {
  const isOfService = concerningService(names);
  return (event) => isOfService(event.service) && (since_ms === null || event.atMs >= since_ms);
}

function concerningService(names: readonly string[]): (service: string | null) => boolean {
  if (meansAll(names)) return () => true;
  const exact = new Set(names);
  const patterns = names.filter(isGlob).map(globMatcher);
  return (service) =>
    service !== null && (exact.has(service) || patterns.some((matches) => matches(service)));
}

function meansAll(names: readonly string[]): boolean {
  return names.length === 0 || names.includes('all');
}

function newestOf(
  ports: ApiPorts,
  words: readonly string[],
  bounds: Bounds,
): readonly RecordedEvent[] {
  const bySeq = new Map<number, RecordedEvent>();
  for (const word of words) {
    for (const event of newestOfWord(ports, word, bounds)) bySeq.set(event.seq, event);
  }
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq).slice(-bounds.limit);
}

function newestOfWord(ports: ApiPorts, word: string, bounds: Bounds): readonly RecordedEvent[] {
  const statuses = ports.statuses();
  if (isGlob(word)) {
    const names = select(statuses, [word]).map(({ status }) => status.name);
    return names.flatMap((service) => ports.events({ service, ...bounds }));
  }
  const service = parseServiceName(word);
  const events = service === null ? [] : ports.events({ service, ...bounds });
  const isKnown = service !== null && isHeardOf(ports, service);
  if (events.length === 0 && !isKnown)
    throw unknownService(
      word,
      statuses.map(({ name }) => name),
    );
  return events;
}

function isHeardOf(ports: ApiPorts, service: ServiceName): boolean {
  return ports.status(service) !== null || ports.events({ service, limit: 1 }).length > 0;
}
