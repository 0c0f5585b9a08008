import { describe, expect, it } from 'vitest';
import type { DesiredService, DesiredState, Trouble } from '../../src/model/desired.ts';
import { desiredEvents } from '../../src/reconciler/desired-events.ts';
import { accepted, desired, WEB } from '../builders/specs.ts';

const NOW = 1_000;
const state = (
  services: readonly DesiredService[],
  brakes: DesiredState['brakes'] = [],
): DesiredState => ({
  services: new Map(services.map((service) => [service.name, service])),
  strayProblems: [],
  brakes,
});
const event = (kind: string, message: string, data = {}) => ({
  atMs: NOW,
  service: WEB,
  kind,
  message,
  actor: 'source',
  data,
});
const inTrouble = (trouble: Trouble, acceptedSpec = desired().accepted): DesiredService => ({
  name: WEB,
  accepted: acceptedSpec,
  trouble,
});
const invalid = (message: string): Trouble => ({
  kind: 'invalid',
  problems: [{ file: '/c/web.yaml', line: 2, column: 3, keyPath: 'process', message }],
});

describe('a change of what is desired', () => {
  it('is no event when nothing changed', () => {
    expect(desiredEvents(state([desired()]), state([desired()]), NOW)).toEqual([]);
    const broken = state([inTrouble(invalid('x'))]);
    expect(desiredEvents(broken, broken, NOW)).toEqual([]);
  });

  it('is a definition that is accepted, the first and each later generation', () => {
    const first = event('definition.accepted', 'generation 1 from /etc/pm/config.d/web.yaml', {
      generation: 1,
    });
    expect(desiredEvents(state([]), state([desired()]), NOW)).toEqual([first]);
    const second = event('definition.accepted', 'generation 2 from /etc/pm/config.d/web.yaml', {
      generation: 2,
    });
    expect(desiredEvents(state([desired()]), state([desired(accepted({}, 2))]), NOW)).toEqual([
      second,
    ]);
  });

  it('is a definition that is gone', () => {
    expect(desiredEvents(state([desired()]), state([]), NOW)).toEqual([
      event('definition.removed', 'no source defines it any more'),
    ]);
  });

  it.each([
    ['invalid', invalid('unknown key'), '/c/web.yaml:2:3: process: unknown key'],
    ['conflict', { kind: 'conflict', files: ['/a', '/b'] }, 'defined more than once: /a, /b'],
    ['held', { kind: 'held', source: 'config:/c', reason: 'gone' }, 'gone'],
  ] as const)('is trouble: %s', (kind, trouble, message) => {
    expect(desiredEvents(state([desired()]), state([inTrouble(trouble)]), NOW)).toEqual([
      event(`definition.${kind}`, message),
    ]);
  });

  it('is trouble from the beginning, without a definition to accept', () => {
    expect(desiredEvents(state([]), state([inTrouble(invalid('x'), null)]), NOW)).toEqual([
      event('definition.invalid', '/c/web.yaml:2:3: process: x'),
    ]);
  });

  it('is other trouble than before', () => {
    const events = desiredEvents(
      state([inTrouble(invalid('x'))]),
      state([inTrouble(invalid('y'))]),
      NOW,
    );
    expect(events.map(({ message }) => message)).toEqual(['/c/web.yaml:2:3: process: y']);
  });

  it('names every problem of a file', () => {
    const problem = { file: '/c/web.yaml', line: null, column: null, keyPath: '', message: 'a' };
    const trouble: Trouble = { kind: 'invalid', problems: [problem, { ...problem, message: 'b' }] };
    expect(desiredEvents(state([desired()]), state([inTrouble(trouble)]), NOW)[0]?.message).toBe(
      '/c/web.yaml: a\n/c/web.yaml: b',
    );
  });

  it('is a brake that was tripped, once', () => {
    const brake = { source: 'config:/c', reason: 'cannot be read', heldNames: [WEB] } as const;
    const events = desiredEvents(state([]), state([], [brake]), NOW);
    expect(events).toEqual([
      {
        atMs: NOW,
        service: null,
        kind: 'source.held',
        message: 'cannot be read; nothing is stopped until pmctl update --prune',
        actor: 'source',
        data: { source: 'config:/c', services: 1 },
      },
    ]);
    expect(desiredEvents(state([], [brake]), state([], [brake]), NOW)).toEqual([]);
    const other = { ...brake, source: 'auto:/a' } as const;
    expect(desiredEvents(state([], [brake]), state([], [brake, other]), NOW)).toHaveLength(1);
  });

  it('is a change that waits, once for each service', () => {
    const waiting = (waits: 'changed' | 'removed'): DesiredState => ({
      ...state([{ ...desired(), waiting: waits }]),
      waitingNames: [WEB],
    });
    const messages = (before: DesiredState, after: DesiredState) =>
      desiredEvents(before, after, NOW).map(({ kind, message }) => `${kind}: ${message}`);
    expect(messages(state([desired()]), waiting('changed'))).toEqual([
      'definition.pending: its changed definition waits for pmctl update',
    ]);
    expect(messages(state([desired()]), waiting('removed'))).toEqual([
      'definition.pending: the removal of its definition waits for pmctl update',
    ]);
    expect(messages(waiting('changed'), waiting('removed'))).toEqual([]);
    expect(messages(waiting('changed'), state([desired()]))).toEqual([]);
    const mended = { ...state([]), waitingNames: [WEB] };
    expect(messages(state([inTrouble(invalid('x'), null)]), mended)).toEqual([
      'definition.pending: a new definition waits for pmctl update',
    ]);
  });
});
