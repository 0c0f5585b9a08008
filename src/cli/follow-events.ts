import { setTimeout as delay } from 'node:timers/promises';
import { ProcessmasterError } from '../lib/errors.ts';
import type { RequestOf, ResultOf } from '../rpc/contract.ts';
import type { EventRow } from '../rpc/status-row.ts';
import type { Invocation, Output } from './invocation.ts';
import { printed } from './invocation.ts';
import { renderEventLine } from './render-events.ts';

type Query = RequestOf<'events.list'>;
type Answer = ResultOf<'events.list'>;

/** How long the daemon may keep a question that it has no answer to yet. */
const WAIT_MS = 30_000;
/** An answer that is later than this does not come any more. */
const ANSWER_TIMEOUT_MS = WAIT_MS + 10_000;
/** How often a daemon that is away is looked for. */
const RECONNECT_MS = 250;
const MOST_AT_ONCE = 1_000;

/**
 * Prints events as they come, until nobody reads or the user interrupts. A daemon that goes away is
 * waited for; the next one is asked for what came after the last one printed.
 *
 * @throws ProcessmasterError what the first question, or one that is no matter of being away, throws
 */
export async function followEvents(invocation: Invocation, query: Query): Promise<Output> {
  if (!(await invocation.write(''))) return printed('');
  let answer = await invocation.call('events.list', query);
  for (;;) {
    if (!(await print(invocation, answer.events))) return printed('');
    answer = await askAgain(invocation, { ...query, ...continuation(answer) });
  }
}

/** A journal that has begun anew is read from its beginning. */
function continuation({ next_seq, last_seq }: Answer): Query {
  const after_seq = last_seq < next_seq ? 0 : next_seq;
  return { after_seq, wait_ms: WAIT_MS, limit: MOST_AT_ONCE };
}

async function print({ write, format, terminal }: Invocation, events: readonly EventRow[]) {
  const render = (event: EventRow) =>
    format === 'json' ? `${JSON.stringify(event)}\n` : renderEventLine(event, terminal);
  return events.length === 0 || (await write(events.map(render).join('')));
}

async function askAgain({ call, complain }: Invocation, query: Query): Promise<Answer> {
  for (let isAway = false; ; isAway = true) {
    try {
      // While it is looked for, an answer is wanted at once: it says that the daemon is back.
      const wait_ms = isAway ? 0 : (query.wait_ms ?? 0);
      const answer = await call('events.list', { ...query, wait_ms }, ANSWER_TIMEOUT_MS);
      if (isAway) await complain('pmctl: the daemon is back\n');
      return answer;
    } catch (error) {
      if (!(error instanceof ProcessmasterError) || error.code !== 'unreachable') throw error;
      if (!isAway) await complain('pmctl: the daemon is away, waiting for it\n');
      await delay(RECONNECT_MS);
    }
  }
}
