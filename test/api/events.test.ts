import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createHandlers } from '../../src/api/handlers.ts';
import type { RecordedEvent } from '../../src/model/event.ts';
import { contract, type RequestOf } from '../../src/rpc/contract.ts';
import { name } from '../builders/specs.ts';
import { caller, MemoryDaemon, status } from './api-rig.ts';

type Request = RequestOf<'events.list'>;

function event(seq: number, service: string | null = 'web'): RecordedEvent {
  const named = service === null ? null : name(service);
  return { seq, atMs: seq * 10, service: named, kind: 'x.y', message: '', actor: 'a', data: {} };
}

function daemonWith(...events: readonly RecordedEvent[]): MemoryDaemon {
  const daemon = new MemoryDaemon(status('web'), status('db'));
  daemon.events = [...events];
  return daemon;
}

async function list(daemon: MemoryDaemon, request: Request, controller = new AbortController()) {
  const params = z.parse(contract['events.list'].params, request);
  const handler = createHandlers(daemon.ports())['events.list'];
  const result = await handler(params, caller(controller));
  expect(z.safeParse(contract['events.list'].result, result).success).toBe(true);
  return { ...result, events: result.events.map(({ seq }) => seq) };
}

const FIVE = [event(1), event(2, null), event(3, 'db'), event(4), event(5, 'gone')];

test.for<[Request, readonly number[], number]>([
  [{}, [1, 2, 3, 4, 5], 5],
  [{ limit: 2 }, [4, 5], 5],
  [{ since_ms: 31 }, [4, 5], 5],
  [{ names: ['web'], since_ms: 1_000 }, [], 5],
  [{ after_seq: 2 }, [3, 4, 5], 5],
  [{ after_seq: 0, limit: 2 }, [1, 2], 2],
  [{ after_seq: 1, names: ['web'] }, [4], 5],
  [{ after_seq: 0, names: ['web'], limit: 1 }, [1], 1],
  [{ after_seq: 0, names: ['[dg]*'] }, [3, 5], 5],
  [{ after_seq: 0, names: ['nobody', 'db'] }, [3], 5],
  [{ after_seq: 0, names: ['web'], since_ms: 20 }, [4], 5],
  [{ after_seq: 5 }, [], 5],
])('%j finds %j and goes on after %i', async ([request, seqs, next_seq]) => {
  expect(await list(daemonWith(...FIVE), request)).toEqual({ events: seqs, next_seq, last_seq: 5 });
});

test('with nothing to answer it waits for an event that is asked for', async () => {
  const daemon = daemonWith(...FIVE);
  const answer = list(daemon, { after_seq: 5, names: ['web'], wait_ms: 60_000 });
  daemon.happen(event(6, 'db'));
  expect(daemon.eventListeners.size).toBe(1);
  daemon.happen(event(7));
  expect(await answer).toEqual({ events: [7], next_seq: 7, last_seq: 7 });
  expect([daemon.eventListeners.size, daemon.clock.nextTimerMs()]).toEqual([0, null]);
});

test('a wait for the first event of all begins where the journal ends', async () => {
  const daemon = daemonWith(...FIVE);
  const answer = list(daemon, { names: ['web'], since_ms: 45, wait_ms: 60_000 });
  daemon.happen(event(6));
  expect(await answer).toEqual({ events: [6], next_seq: 6, last_seq: 6 });
});

test('a wait is over when it is over', async () => {
  const daemon = daemonWith(...FIVE);
  const answer = list(daemon, { after_seq: 5, wait_ms: 60_000 });
  daemon.clock.advance(60_000);
  expect(await answer).toEqual({ events: [], next_seq: 5, last_seq: 5 });
  expect(daemon.eventListeners.size).toBe(0);
});

test('nobody is waited for who is gone', async () => {
  const daemon = daemonWith(...FIVE);
  const controller = new AbortController();
  const answer = list(daemon, { after_seq: 5, wait_ms: 60_000 }, controller);
  controller.abort();
  await expect(answer).rejects.toMatchObject({ code: 'unreachable' });
  await expect(list(daemon, { after_seq: 5, wait_ms: 60_000 }, controller)).rejects.toMatchObject({
    code: 'unreachable',
  });
  expect([daemon.eventListeners.size, daemon.clock.nextTimerMs()]).toEqual([0, null]);
});

test('a number of another journal is answered at once', async () => {
  const daemon = daemonWith(event(1));
  const answer = await list(daemon, { after_seq: 9, wait_ms: 60_000 });
  expect(answer).toEqual({ events: [], next_seq: 9, last_seq: 1 });
});

test('a long journal without a match is looked through a part at a time', async () => {
  const daemon = daemonWith(...Array.from({ length: 12_000 }, (_, at) => event(at + 1, 'db')));
  const ask = { names: ['web'], wait_ms: 60_000 };
  expect(await list(daemon, { ...ask, after_seq: 0 })).toMatchObject({ next_seq: 10_000 });
  const rest = list(daemon, { ...ask, after_seq: 10_000 });
  daemon.happen(event(12_001));
  expect(await rest).toEqual({ events: [12_001], next_seq: 12_001, last_seq: 12_001 });
});
