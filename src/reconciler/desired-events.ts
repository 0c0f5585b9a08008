import { type DesiredService, type DesiredState, formatProblem } from '../model/desired.ts';
import type { ServiceEvent } from '../model/event.ts';
import type { ServiceName } from '../model/service-name.ts';

/** Events for what changed between two desired states. Pure. */
export function desiredEvents(
  before: DesiredState,
  after: DesiredState,
  atMs: number,
): readonly ServiceEvent[] {
  const names = new Set([...before.services.keys(), ...after.services.keys()]);
  const waitedNames = new Set(before.waitingNames);
  const waitingNames = new Set(after.waitingNames);
  const events = [...names]
    // One that was wrong, is right by now and waits is neither in force nor gone.
    .filter((name) => after.services.has(name) || !waitingNames.has(name))
    .flatMap((name) =>
      serviceEvents(name, before.services.get(name), after.services.get(name), atMs),
    );
  const waiting = [...waitingNames]
    .filter((name) => !waitedNames.has(name))
    .map((name) => waitingEvent(name, after.services.get(name), atMs));
  const tripped = after.brakes.filter(
    (brake) => !before.brakes.some((b) => b.source === brake.source),
  );
  const brakes = tripped.map((brake) => ({
    atMs,
    service: null,
    kind: 'source.held',
    message: `${brake.reason}; nothing is stopped until pmctl update --prune`,
    actor: 'source',
    data: { source: brake.source, services: brake.heldNames.length },
  }));
  return [...events, ...waiting, ...brakes];
}

function waitingEvent(
  service: ServiceName,
  after: DesiredService | undefined,
  atMs: number,
): ServiceEvent {
  const message = `${describeWaiting(after)} waits for pmctl update`;
  return { atMs, service, kind: 'definition.pending', message, actor: 'source', data: {} };
}

function describeWaiting(service: DesiredService | undefined): string {
  if (service === undefined) return 'a new definition';
  return service.waiting === 'removed' ? 'the removal of its definition' : 'its changed definition';
}

function serviceEvents(
  name: ServiceName,
  before: DesiredService | undefined,
  after: DesiredService | undefined,
  atMs: number,
): readonly ServiceEvent[] {
  const event = (kind: string, message: string, data: ServiceEvent['data'] = {}): ServiceEvent => ({
    atMs,
    service: name,
    kind,
    message,
    actor: 'source',
    data,
  });
  if (after === undefined) return [event('definition.removed', 'no source defines it any more')];
  const events: ServiceEvent[] = [];
  const accepted = after.accepted;
  if (accepted !== null && accepted.generation !== before?.accepted?.generation) {
    const { generation, sourceFile } = accepted;
    events.push(
      event('definition.accepted', `generation ${generation} from ${sourceFile}`, { generation }),
    );
  }
  const trouble = describeTrouble(after);
  if (trouble !== null && trouble !== (before && describeTrouble(before))) {
    events.push(event(`definition.${after.trouble?.kind ?? 'invalid'}`, trouble));
  }
  return events;
}

function describeTrouble({ trouble }: DesiredService): string | null {
  switch (trouble?.kind) {
    case undefined:
      return null;
    case 'invalid':
      return trouble.problems.map(formatProblem).join('\n');
    case 'conflict':
      return `defined more than once: ${trouble.files.join(', ')}`;
    case 'held':
      return trouble.reason;
  }
}
